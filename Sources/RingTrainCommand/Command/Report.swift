import Foundation

/// What `ringtrain` prints at the end: settings and result of a run.
///
/// As JSON it is one object, with the names that scripts rely on.
struct Report: Sendable, Equatable, Codable {
    var ranks: Int
    var dataset: String
    var model: String
    var hiddenUnits: [Int]
    var parameters: Int
    var epochs: Int
    var batchSize: Int
    var learningRate: Float
    var seed: UInt64
    var transport: String
    var algorithm: String
    var compression: String
    var trainLoss: Double
    var testAccuracy: Double
    var samplesPerSecond: Double
    var seconds: Double
    var computeSeconds: Double
    var communicationSeconds: Double
    /// How many bytes of payload rank 0 sent.
    var wireBytes: Int
    var parametersSHA256: String

    enum CodingKeys: String, CodingKey, CaseIterable {
        case ranks, dataset, model
        case hiddenUnits = "hidden_units"
        case parameters, epochs
        case batchSize = "batch_size"
        case learningRate = "learning_rate"
        case seed, transport, algorithm, compression
        case trainLoss = "train_loss"
        case testAccuracy = "test_accuracy"
        case samplesPerSecond = "samples_per_second"
        case seconds
        case computeSeconds = "compute_seconds"
        case communicationSeconds = "communication_seconds"
        case wireBytes = "wire_bytes"
        case parametersSHA256 = "parameters_sha256"
    }
}

extension Report {
    /// The form in which a report is printed.
    enum Format: String, Sendable, CaseIterable {
        case text, json
    }

    /// The report in a form, without a line break at the end.
    func rendered(as format: Format) throws -> String {
        switch format {
        case .text: return text
        case .json:
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
            return String(decoding: try encoder.encode(self), as: UTF8.self)
        }
    }

    private var text: String {
        let share = seconds > 0 ? 100 * communicationSeconds / seconds : 0
        let rows = [
            ("train loss", String(format: "%.6f", trainLoss)),
            ("test accuracy", String(format: "%.4f", testAccuracy)),
            ("speed", String(format: "%.0f samples/s", samplesPerSecond)),
            (
                "time",
                String(
                    format: "%.2f s: %.2f s computing, %.2f s (%.0f %%) waiting for communication",
                    seconds, computeSeconds, communicationSeconds, share)
            ),
            ("sent by rank 0", "\(wireBytes) bytes"),
            (
                "parameters",
                "sha256 \(parametersSHA256), the same on \(ranks == 1 ? "its one rank" : "all \(ranks) ranks")"
            ),
        ]
        let width = rows.map(\.0.count).max() ?? 0
        return rows.map { $0.0.padding(toLength: width + 2, withPad: " ", startingAt: 0) + $0.1 }
            .joined(separator: "\n")
    }
}
