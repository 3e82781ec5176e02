package main

import "reflect"

func unknownMembers(item, inner any, name string) []string {
	list := extra(item, "")
	return append(list, extra(inner, name+".")...)
}

func extra(of any, prefix string) []string {
	v := reflect.ValueOf(of)
	if v.Kind() != reflect.Pointer || v.IsNil() {
		return nil
	}
	f := v.Elem().FieldByName("Extra")
	if !f.IsValid() {
		return nil
	}
	var names []string
	for _, name := range f.MapKeys() {
		if n := name.String(); prefix == "" && (n == "enabled" || n == "identifier" || n == "schema" || n == "test_results") {
			continue
		}
		names = append(names, prefix+name.String())
	}
	return names
}
