# SPDX-License-Identifier: Apache-2.0
#
# Prints C sources as FILE:LINE:code, with comments blanked and the text of strings and characters removed, so that a
# search finds code only.

function strip(s,    out, c, d, i, n) {
	out = ""
	n = length(s)
	for (i = 1; i <= n; i++) {
		c = substr(s, i, 1)
		d = substr(s, i, 2)
		if (comment) {
			if (d == "*/") {
				comment = 0
				i++
			}
		} else if (d == "/*") {
			comment = 1
			out = out " "
			i++
		} else if (d == "//") {
			break
		} else if (c == "\"" || c == "'") {
			out = out c
			for (i++; i <= n && substr(s, i, 1) != c; i++)
				if (substr(s, i, 1) == "\\")
					i++
			out = out c
		} else {
			out = out c
		}
	}
	return out
}

FNR == 1 { comment = 0 }
{ print FILENAME ":" FNR ":" strip($0) }
