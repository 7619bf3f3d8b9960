import RingCore

/// Aligned columns for people, after the manner of nccl-tests.
///
/// Lines that begin with `#` are not data.
struct TableReporter: ResultReporter {
    private struct Column: Sendable {
        var title: String
        var unit: String
        var width: Int
        var text: @Sendable (BenchmarkResult) -> String
    }

    /// What compression adds to the columns.
    private static let compressionColumns: [Column] = [
        Column(title: "ratio", unit: "", width: 6) { NumberText.fixed($0.ratio, digits: 2) },
        Column(title: "error", unit: "(max)", width: 9) {
            $0.largestError.map { NumberText.fixed($0, digits: 6) } ?? "N/A"
        },
    ]

    private static func columns(_ compression: String) -> [Column] {
        compression == Compression.none.name ? columns : columns + compressionColumns
    }

    private static let columns: [Column] = [
        Column(title: "size", unit: "(B)", width: 12) { "\($0.bytes)" },
        Column(title: "count", unit: "(elements)", width: 12) { "\($0.count)" },
        Column(title: "type", unit: "", width: 8) { $0.dataType.name },
        Column(title: "op", unit: "", width: 7) { $0.op?.name ?? "none" },
        Column(title: "root", unit: "", width: 4) { "\($0.root ?? -1)" },
        Column(title: "algorithm", unit: "", width: 18) { $0.algorithm },
        Column(title: "times", unit: "", width: 5) { "\($0.iterations)" },
        Column(title: "mean", unit: "(us)", width: 9) { NumberText.microseconds($0.time.mean) },
        Column(title: "min", unit: "(us)", width: 9) { NumberText.microseconds($0.time.min) },
        Column(title: "p50", unit: "(us)", width: 9) { NumberText.microseconds($0.time.p50) },
        Column(title: "p99", unit: "(us)", width: 9) { NumberText.microseconds($0.time.p99) },
        Column(title: "max", unit: "(us)", width: 9) { NumberText.microseconds($0.time.max) },
        Column(title: "algbw", unit: "(GB/s)", width: 8) {
            NumberText.fixed($0.algorithmBandwidth, digits: 3)
        },
        Column(title: "busbw", unit: "(GB/s)", width: 8) { NumberText.fixed($0.busBandwidth, digits: 3) },
        Column(title: "wrong", unit: "", width: 6) { $0.wrong.map { "\($0)" } ?? "N/A" },
    ]

    func begin(_ environment: BenchmarkEnvironment) -> String {
        let head = environment.headLines.map { "# \($0)\n" }.joined()
        let columns = Self.columns(environment.settings.compression.name)
        return head + "#\n" + line("#", columns.map { ($0.title, $0.width) })
            + line("#", columns.map { ($0.unit, $0.width) })
    }

    func result(_ result: BenchmarkResult) -> String {
        line(" ", Self.columns(result.compression).map { ($0.text(result), $0.width) })
    }

    func end(_ environment: BenchmarkEnvironment, _ results: [BenchmarkResult]) -> String {
        let mean = results.isEmpty ? 0 : results.reduce(0) { $0 + $1.busBandwidth } / Double(results.count)
        let wrong = results.contains { $0.wrong == nil } ? nil : results.reduce(0) { $0 + ($1.wrong ?? 0) }
        return "# average busbw: \(NumberText.fixed(mean, digits: 3)) GB/s, "
            + "wrong elements: \(wrong.map { "\($0)" } ?? "not checked")\n"
    }

    /// Cells set to the right, which push the rest of the line along if they are too wide.
    private func line(_ start: String, _ cells: [(text: String, width: Int)]) -> String {
        var line = start
        for (text, width) in cells {
            line += String(repeating: " ", count: 1 + Swift.max(0, width - text.count)) + text
        }
        while line.last == " " { line.removeLast() }
        return line + "\n"
    }
}
