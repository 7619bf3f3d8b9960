import RingCore
import RingPlan

/// The answer of `ringbench explain`.
struct ExplainReport {
    let question: ChoiceQuestion
    let selector: Selector
    /// Where the costs are from.
    let source: String

    private var choice: Choice {
        selector.choose(question.query, among: question.candidates, compression: question.compression)
    }

    private func outline(_ algorithm: String) -> AlgorithmOutline? {
        AlgorithmOutline.outline(algorithm, question.query.compressed(question.compression))
    }

    /// For people: a line a candidate, and why the winner won.
    var table: String {
        let choice = choice
        let topology = question.topology
        let compression = question.compression == .none ? "" : " in \(question.compression.name)"
        let size =
            question.collective == .barrier
            ? ""
            : " of \(ByteSize(bytes: question.bytes)) (\(question.count) \(question.dataType.name)\(compression))"
        var text = """
            # \(question.collective.name)\(size), \(topology.worldSize) ranks, \(topology.ranksPerHost) per host, \
            \(topology.processors) processors a host
            # costs: \(source)

            """
        var rows = [["algorithm", "predicted (us)", "measured (us)", "steps", "sent (B)", ""]]
        for candidate in choice.candidates {
            let outline = outline(candidate.algorithm)
            rows.append([
                candidate.algorithm, Self.microseconds(candidate.predicted),
                Self.microseconds(candidate.measured), outline.map { "\($0.steps)" } ?? "-",
                outline.map { NumberText.fixed($0.bytesSent, digits: 0) } ?? "-",
                candidate.algorithm == choice.algorithm ? "<- chosen" : "",
            ])
        }
        text += TextColumns.text(rows)
        return text + "# \(choice.explanation)"
    }

    /// For programs: one object.
    var json: String {
        let choice = choice
        let topology = question.topology
        let head = JSONValue.members([
            ("collective", .string(question.collective.name)), ("bytes", .integer(question.bytes)),
            ("count", .integer(question.count)), ("datatype", .string(question.dataType.name)),
            ("compression", .string(question.compression.name)), ("ranks", .integer(topology.worldSize)),
            ("ranks_per_host", .integer(topology.ranksPerHost)),
            ("processors", .integer(topology.processors)), ("costs", .string(source)),
            ("algorithm", .string(choice.algorithm)), ("reason", .string(choice.reason.rawValue)),
            ("explanation", .string(choice.explanation)),
        ])
        let lines = choice.candidates.map { candidate in
            let outline = outline(candidate.algorithm)
            return "    "
                + JSONValue.object([
                    ("algorithm", .string(candidate.algorithm)),
                    ("predicted_us", .number((candidate.predicted ?? .nan) * 1e6)),
                    ("measured_us", .number((candidate.measured ?? .nan) * 1e6)),
                    ("steps", outline.map { .integer($0.steps) } ?? .number(.nan)),
                    ("bytes_sent", .number(outline?.bytesSent ?? .nan)),
                ])
        }
        return "{\(head), \"candidates\": [\n\(lines.joined(separator: ",\n"))\n]}"
    }

    private static func microseconds(_ seconds: Double?) -> String {
        seconds.map { NumberText.microseconds($0 * 1e6) } ?? "-"
    }
}

/// Text in columns: the first to the left, the others to the right, each as wide as it must be.
enum TextColumns {
    static func text(_ rows: [[String]]) -> String {
        let widths = (0..<(rows.first?.count ?? 0)).map { column in rows.map { $0[column].count }.max() ?? 0 }
        return rows.map { row in
            var line = ""
            for (column, cell) in row.enumerated() {
                let padding = String(repeating: " ", count: widths[column] - cell.count)
                line += (column == 0 ? "" : "  ") + (column == 0 ? cell + padding : padding + cell)
            }
            while line.last == " " { line.removeLast() }
            return line + "\n"
        }.joined()
    }
}
