package config

// nearest finds the candidate that takes the fewest edits to reach from name, or
// "" when nothing is near.
func nearest(name string, candidates []string) string {
	best, fewest := "", len(name)/2+2
	for _, c := range candidates {
		if d := distance(name, c); d < fewest {
			best, fewest = c, d
		}
	}
	return best
}

// distance is the Levenshtein distance.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			substitute := diagonal
			if a[i] != b[j] {
				substitute++
			}
			diagonal = row[j+1]
			row[j+1] = min(substitute, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
