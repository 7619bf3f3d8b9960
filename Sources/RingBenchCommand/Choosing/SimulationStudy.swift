import RingCore
import RingPlan

/// What every algorithm for a collective takes, by ranks and size, on one network: the work of `ringbench simulate`.
struct SimulationStudy {
    var collective: Collective
    var dataType: DataType
    var ranks: [Int]
    var bytes: [Int]
    var ranksPerHost: Int
    var processors: Int
    var model: CostModel

    /// How a time was found.
    enum Method: String {
        /// By running all ranks' plans against the clock.
        case events
        /// By the formula that the library chooses by.
        case formula
    }

    /// One algorithm, for one number of ranks and one size.
    struct Row {
        var ranks: Int
        var bytes: Int
        var algorithm: String
        var seconds: Double
        var method: Method
        var steps: Int
        /// What the busiest rank sends.
        var bytesSent: Double
        /// Whether the library would choose it.
        var isChosen: Bool
    }

    /// The most transfers of which all are run against the clock.
    static let mostTransfers = 200_000.0

    /// All rows, by ranks, size and algorithm.
    func rows() throws -> [Row] {
        var rows: [Row] = []
        for count in ranks {
            for size in bytes {
                let question = ChoiceQuestion(
                    collective, bytes: size, dataType: dataType,
                    topology: RankTopology(
                        worldSize: count, ranksPerHost: ranksPerHost, processors: processors))
                rows += try self.rows(question)
            }
        }
        return rows
    }

    private func rows(_ question: ChoiceQuestion) throws -> [Row] {
        let query = question.query
        let names = question.candidates
        let chosen = Selector(model: model).choose(query, among: names).algorithm
        return try names.compactMap { name in
            guard let outline = AlgorithmOutline.outline(name, query),
                let predicted = model.predicted(name, query)
            else { return nil }
            let isSmall = isSmall(name, query)
            return Row(
                ranks: question.topology.worldSize, bytes: question.bytes, algorithm: name,
                seconds: isSmall ? try model.simulated(name, query) : predicted,
                method: isSmall ? .events : .formula, steps: outline.steps, bytesSent: outline.bytesSent,
                isChosen: name == chosen)
        }
    }

    /// Whether all transfers can be run in a moment. Empty ones count, since they are planned first and left out then.
    private func isSmall(_ name: String, _ query: CostQuery) -> Bool {
        var full = query
        if ![.allToAll, .barrier].contains(query.collective) {
            full.elementCount = max(query.elementCount, 2 * query.topology.worldSize)
        }
        return AlgorithmOutline.outline(name, full).map { $0.messageCount <= Self.mostTransfers } ?? false
    }

    /// For people: a line a row.
    func table() throws -> String {
        let network = model.parameters.betweenHosts
        var text = """
            # \(collective.name) of \(dataType.name); between hosts \
            \(NumberText.fixed(network.latency * 1e6, digits: 1)) us, \
            \(NumberText.fixed(network.bandwidth * 8 / 1e9, digits: 1)) Gbit/s; \(ranksPerHost) ranks a host, \
            \(processors) processors a host
            # sent: by the busiest rank; growth: times what it takes with the number of ranks before

            """
        var rows = [["ranks", "size", "algorithm", "time (us)", "growth", "steps", "sent (B)", "by", ""]]
        var earlier: [String: Double] = [:]
        for row in try self.rows() {
            let key = "\(row.bytes) \(row.algorithm)"
            let growth = earlier[key].map { NumberText.fixed(row.seconds / $0, digits: 2) } ?? "-"
            earlier[key] = row.seconds
            rows.append([
                "\(row.ranks)", ByteSize(bytes: row.bytes).description, row.algorithm,
                NumberText.microseconds(row.seconds * 1e6), growth, "\(row.steps)",
                NumberText.fixed(row.bytesSent, digits: 0), row.method.rawValue,
                row.isChosen ? "<- chosen" : "",
            ])
        }
        text += TextColumns.text(rows)
        text.removeLast()
        return text
    }

    /// For programs: one document.
    func json() throws -> String {
        let network = model.parameters.betweenHosts
        let head = JSONValue.object([
            ("collective", .string(collective.name)), ("datatype", .string(dataType.name)),
            ("latency_us", .number(network.latency * 1e6)),
            ("bandwidth_gbs", .number(network.bandwidth / 1e9)),
            ("ranks_per_host", .integer(ranksPerHost)), ("processors", .integer(processors)),
        ])
        let lines = try rows().map { row in
            "    "
                + JSONValue.object([
                    ("ranks", .integer(row.ranks)), ("bytes", .integer(row.bytes)),
                    ("algorithm", .string(row.algorithm)), ("time_us", .number(row.seconds * 1e6)),
                    ("steps", .integer(row.steps)), ("bytes_sent", .number(row.bytesSent)),
                    ("by", .string(row.method.rawValue)), ("chosen", .boolean(row.isChosen)),
                ])
        }
        return "{\n  \"network\": \(head),\n  \"results\": [\n\(lines.joined(separator: ",\n"))\n  ]\n}"
    }
}
