/// Turns results into text, as they come.
///
/// The text of a run is ``begin(_:)``, then ``result(_:)`` for each size, then ``end(_:_:)``, each ending in a new
/// line unless it is empty.
protocol ResultReporter: Sendable {
    func begin(_ environment: BenchmarkEnvironment) -> String
    func result(_ result: BenchmarkResult) -> String
    func end(_ environment: BenchmarkEnvironment, _ results: [BenchmarkResult]) -> String
}

extension ReportFormat {
    /// What writes this format.
    var reporter: any ResultReporter {
        switch self {
        case .table: TableReporter()
        case .json: JSONReporter()
        case .csv: CSVReporter()
        }
    }
}

/// One JSON document at the end: `{"environment": {...}, "results": [{...}, ...]}`, a line a result.
struct JSONReporter: ResultReporter {
    func begin(_ environment: BenchmarkEnvironment) -> String { "" }

    func result(_ result: BenchmarkResult) -> String { "" }

    func end(_ environment: BenchmarkEnvironment, _ results: [BenchmarkResult]) -> String {
        let lines = results.map { "    " + JSONValue.object($0.fields) }
        return """
            {
              "environment": \(JSONValue.object(environment.fields)),
              "results": [
            \(lines.joined(separator: ",\n"))
              ]
            }

            """
    }
}

/// A line of names, those of JSON, then a line a result.
struct CSVReporter: ResultReporter {
    func begin(_ environment: BenchmarkEnvironment) -> String {
        BenchmarkResult.fieldNames.joined(separator: ",") + "\n"
    }

    func result(_ result: BenchmarkResult) -> String {
        result.fields.map(\.value.csvField).joined(separator: ",") + "\n"
    }

    func end(_ environment: BenchmarkEnvironment, _ results: [BenchmarkResult]) -> String { "" }
}
