"""The report: one HTML file whose first page is a decision."""
