package cli

import (
	"fmt"
	"io"
	"strings"
)

// A Table prints rows of cells, with its columns aligned by what they take on a terminal.
type Table struct {
	rows [][]string // the first one is the head
}

// NewTable returns a table with the head.
func NewTable(head ...string) *Table { return &Table{[][]string{head}} }

// Row adds a row; it has as many cells as the head.
func (t *Table) Row(cells ...any) {
	row := make([]string, len(cells))
	for i, cell := range cells {
		row[i] = Clean(fmt.Sprint(cell))
	}
	t.rows = append(t.rows, row)
}

const (
	columnGap   = "  "
	leastColumn = 8 // what a column keeps when there is no room for all
)

// Print writes the table. Where a line would be longer than columns, the widest cells are cut; 0 is no limit.
func (t *Table) Print(out io.Writer, columns int) error {
	widths := t.widths(columns)
	var b strings.Builder
	for _, row := range t.rows {
		var line strings.Builder
		for i, cell := range row {
			cell = Cut(cell, widths[i])
			padding := strings.Repeat(" ", widths[i]-Width(cell))
			if t.isNumeric(i) {
				line.WriteString(padding + cell + columnGap)
			} else {
				line.WriteString(isolate(cell) + padding + columnGap)
			}
		}
		b.WriteString(strings.TrimRight(line.String(), " ") + "\n")
	}
	_, err := io.WriteString(out, b.String())
	return err
}

// widths returns the columns' widths, of which the widest gave way where there is not enough room.
func (t *Table) widths(columns int) []int {
	widths := make([]int, len(t.rows[0]))
	sum := len(columnGap) * (len(widths) - 1)
	for i := range widths {
		for _, row := range t.rows {
			widths[i] = max(widths[i], Width(row[i]))
		}
		sum += widths[i]
	}
	for columns > 0 && sum > columns {
		widest := 0
		for i := range widths {
			if widths[i] > widths[widest] {
				widest = i
			}
		}
		if widths[widest] <= leastColumn {
			break
		}
		widths[widest]--
		sum--
	}
	return widths
}

// isNumeric reports whether all cells below the head are numbers; such columns are aligned to the right.
func (t *Table) isNumeric(column int) bool {
	for _, row := range t.rows[1:] {
		if strings.Trim(row[column], "0123456789") != "" {
			return false
		}
	}
	return len(t.rows) > 1
}
