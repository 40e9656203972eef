"""The page in the browser: what the control API knows and does, as HTML.

It changes state through the control API alone, which it gets as a function, and reads rows of the
engine where a page needs another order than a list of the control API has. May import `engine`,
`findings` and the layers below; knows no server and nothing of `http`.
"""
