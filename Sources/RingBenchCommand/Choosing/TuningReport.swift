import RingCore
import RingPlan

/// What `ringbench tune` says that it found.
struct TuningReport {
    let document: TuningDocument
    let output: String

    /// The fastest algorithm by collective and size, the fitted costs, and how well they explain the times.
    var text: String {
        let rows = document.measurements
        var text = "# \(document.machine), \(document.transport), \(document.date)\n"
        var table = [["collective", "size", "fastest", "time (us)", "next", "takes", "predicted"]]
        for collective in Collective.allCases {
            let own = rows.filter { $0.collective == collective }
            for bytes in Set(own.map(\.bytes)).sorted() {
                table.append(
                    line(collective, own.filter { $0.bytes == bytes }.sorted { $0.seconds < $1.seconds }))
            }
        }
        text += TextColumns.text(table)
        text += "#\n# fitted costs (times in s, bandwidth in B/s)\n"
        for (name, path) in CostParameters.fields {
            text += "# \(name): \(document.parameters[keyPath: path])\n"
        }
        let deviation = ParameterFit.deviation(rows, document.parameters, processors: document.processors)
        return text
            + "# predictions are off by \(Self.percent(deviation.median)) in the median, "
            + "\(Self.percent(deviation.largest)) at most\n# written to \(output): RING_TUNING=\(output) uses it"
    }

    /// One size of one collective, from its rows, the fastest first.
    private func line(_ collective: Collective, _ rows: [MeasuredTime]) -> [String] {
        let fastest = rows[0]
        let next = rows.dropFirst().first
        let query = fastest.query(processors: document.processors)
        let predicted = CostModel(document.parameters).predicted(fastest.algorithm, query)
        return [
            collective.name, ByteSize(bytes: fastest.bytes).description, fastest.algorithm,
            NumberText.microseconds(fastest.seconds * 1e6), next?.algorithm ?? "-",
            next.map { NumberText.fixed($0.seconds / fastest.seconds, digits: 2) + " x" } ?? "-",
            predicted.map { NumberText.microseconds($0 * 1e6) } ?? "-",
        ]
    }

    private static func percent(_ part: Double) -> String { "\(NumberText.fixed(part * 100, digits: 0)) %" }
}
