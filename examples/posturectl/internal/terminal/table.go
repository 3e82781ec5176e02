package terminal

import (
	"fmt"
	"io"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
)

const (
	columnGap   = "  "
	leastColumn = 8 // the width that a column keeps where there is no room for all
)

// A Table prints rows of cells in columns.
type Table struct {
	rows [][]string // the first is the head
}

// NewTable returns a table with a head.
func NewTable(head ...string) *Table { return &Table{[][]string{head}} }

// Row adds a row, which has as many cells as the head.
func (t *Table) Row(cells ...any) {
	row := make([]string, len(cells))
	for i, cell := range cells {
		row[i] = Clean(fmt.Sprint(cell))
	}
	t.rows = append(t.rows, row)
}

// Print writes the table. Where a line would be longer than columns, the widest cells are cut; 0 is no limit.
func (t *Table) Print(out io.Writer, columns int) error {
	writer := table.NewWriter()
	writer.SetStyle(table.Style{
		Box:     table.BoxStyle{PaddingRight: columnGap},
		Options: table.OptionsNoBordersAndSeparators,
	})
	writer.SuppressTrailingSpaces()
	var configs []table.ColumnConfig
	widths := t.widths(columns)
	for i, width := range widths {
		config := table.ColumnConfig{Number: i + 1, Align: text.AlignLeft, WidthMax: width}
		if t.isNumeric(i) {
			config.Align = text.AlignRight
		}
		configs = append(configs, config)
	}
	writer.SetColumnConfigs(configs)
	for _, row := range t.rows {
		cells := make(table.Row, len(row))
		for i, cell := range row {
			cells[i] = isolate(Cut(cell, widths[i]))
		}
		writer.AppendRow(cells)
	}
	_, err := io.WriteString(out, writer.Render()+"\n")
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
