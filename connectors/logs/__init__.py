"""Log text into events: formats, time stamps, bisection and parsing, for files and commands alike.

The modules fall into two halves that must give the same answer. `zones`, `stamps`, `levels`,
`formats`, `jsonshape`, `dialect`, `record`, `locate`, `members` and `preview` use the standard
library alone, because they run before the first frame is painted. The others load Polars.
"""
