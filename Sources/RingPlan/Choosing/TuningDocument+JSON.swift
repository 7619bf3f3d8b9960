package import RingCore

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

// A document as JSON text: read by the standard decoder, written by hand, so that a row is a line and the names
// keep their order.
extension TuningDocument {
    /// The document as JSON text, ending in a new line.
    package var json: String {
        let costs = CostParameters.fields.map {
            "    \(Self.quoted($0.name)): \(parameters[keyPath: $0.path])"
        }
        let rows = measurements.map { row in
            "    {\"collective\": \(Self.quoted(row.collective.name)), \"algorithm\": \(Self.quoted(row.algorithm)), "
                + "\"ranks\": \(row.ranks), \"ranks_per_host\": \(row.ranksPerHost), "
                + "\"element_size\": \(row.elementSize), \"bytes\": \(row.bytes), \"seconds\": \(row.seconds)}"
        }
        return """
            {
              "ring_tuning_version": \(Self.version),
              "machine": \(Self.quoted(machine)),
              "date": \(Self.quoted(date)),
              "transport": \(Self.quoted(transport)),
              "processors": \(processors),
              "parameters": {
            \(costs.joined(separator: ",\n"))
              },
              "measurements": [
            \(rows.joined(separator: ",\n"))
              ]
            }

            """
    }

    /// Reads ``json``, or what a person made of it. `source` is what errors call it: the file's name.
    ///
    /// - Throws: `invalidConfiguration`, in one line that says where it is wrong and how.
    package init(json: [UInt8], source: String) throws(CollectiveError) {
        func invalid(_ reason: String) -> CollectiveError {
            CollectiveError(.invalidConfiguration, "tuning document \(source): \(reason)")
        }
        let text: DocumentText
        do {
            let decoder = JSONDecoder()
            let head = try decoder.decode(VersionText.self, from: Data(json))
            guard head.ring_tuning_version == Self.version else {
                throw invalid(
                    "it has version \(head.ring_tuning_version), this library reads \(Self.version): run ringbench tune"
                )
            }
            text = try decoder.decode(DocumentText.self, from: Data(json))
        } catch let error as CollectiveError {
            throw error
        } catch let error as DecodingError {
            throw invalid(error.reason)
        } catch {
            throw invalid("it cannot be read: \(error)")
        }
        var parameters = CostParameters.standard
        for (name, path) in CostParameters.fields {
            guard let value = text.parameters[name] else { throw invalid("parameters has no \(name)") }
            parameters[keyPath: path] = value
        }
        if let unknown = text.parameters.keys.filter({ name in
            !CostParameters.fields.contains { $0.name == name }
        })
        .min() {
            throw invalid("there is no parameter \(unknown)")
        }
        if let field = parameters.firstInvalidField { throw invalid("parameters.\(field) is out of range") }
        guard text.processors >= 1 else {
            throw invalid("processors is \(text.processors); it must be 1 or more")
        }
        var rows: [MeasuredTime] = []
        for (index, row) in text.measurements.enumerated() {
            guard let collective = Collective(name: row.collective) else {
                throw invalid("measurements[\(index)]: there is no collective '\(row.collective)'")
            }
            guard Planners.names(for: collective).contains(row.algorithm) else {
                throw invalid(
                    "measurements[\(index)]: \(collective.name) has no algorithm '\(row.algorithm)'")
            }
            guard row.isInRange else { throw invalid("measurements[\(index)]: a number is out of range") }
            rows.append(
                MeasuredTime(
                    collective, row.algorithm, ranks: row.ranks, ranksPerHost: row.ranks_per_host,
                    elementSize: row.element_size, bytes: row.bytes, seconds: row.seconds))
        }
        self.init(
            machine: text.machine, date: text.date, transport: text.transport, processors: text.processors,
            parameters: parameters, measurements: rows)
    }

    private static func quoted(_ string: String) -> String {
        var result = "\""
        for scalar in string.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\u{20}"...: result.unicodeScalars.append(scalar)
            default: result += " "
            }
        }
        return result + "\""
    }
}

private struct VersionText: Decodable {
    var ring_tuning_version: Int
}

/// The document's names as they are in the text.
private struct DocumentText: Decodable {
    var machine: String
    var date: String
    var transport: String
    var processors: Int
    var parameters: [String: Double]
    var measurements: [Row]

    struct Row: Decodable {
        var collective: String
        var algorithm: String
        var ranks: Int
        var ranks_per_host: Int
        var element_size: Int
        var bytes: Int
        var seconds: Double

        var isInRange: Bool {
            ranks >= 1 && ranks <= Plan.largestWorldSize && ranks_per_host >= 1 && ranks_per_host <= ranks
                && element_size >= 1 && element_size <= 64 && bytes >= 0 && bytes <= Plan.largestCount
                && seconds.isFinite && seconds > 0
        }
    }
}

extension DecodingError {
    /// Where the text is wrong and how, in one line.
    fileprivate var reason: String {
        switch self {
        case .keyNotFound(let key, let context):
            "\(Self.place(context))'\(key.stringValue)' is missing"
        case .typeMismatch(_, let context), .valueNotFound(_, let context):
            "\(Self.place(context))a value of another kind is expected"
        case .dataCorrupted(let context):
            "\(Self.place(context))it is not JSON"
        @unknown default: "it is not JSON"
        }
    }

    private static func place(_ context: Context) -> String {
        var text = ""
        for key in context.codingPath {
            if let index = key.intValue {
                text += "[\(index)]"
            } else {
                text += (text.isEmpty ? "" : ".") + key.stringValue
            }
        }
        return text.isEmpty ? "" : text + ": "
    }
}
