"""What the chapters draw: one module a chapter, data frames in and plotly figures out."""
