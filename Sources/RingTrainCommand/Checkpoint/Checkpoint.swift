/// The state of a training run between two epochs: all that it takes to go on as if it had not been stopped.
struct Checkpoint: Sendable, Equatable {
    /// Whose state it is.
    var run: CheckpointedRun
    /// How many epochs have been trained.
    var epochs: Int
    /// The model's parameters, the same on all ranks.
    var parameters: [Float]
    /// The optimizer's velocity, the same on all ranks.
    var velocity: [Float]
    /// What compression has taken from each rank's gradients and not sent since, by rank; empty if nothing is kept.
    var residuals: [[Float]]
}

/// What a run must have in common with the one whose state it goes on from.
struct CheckpointedRun: Sendable, Equatable, Codable {
    var dataset: String
    /// The digest of its images and labels, in hexadecimal digits.
    var datasetDigest: String
    var model: ModelName
    var hiddenUnits: [Int]
    var parameterCount: Int
    var batchSize: Int
    var seed: UInt64
    var ranks: Int
}

extension CheckpointedRun {
    init(_ settings: TrainingSettings, _ dataset: Dataset, ranks: Int) {
        self.init(
            dataset: dataset.name, datasetDigest: dataset.digest.hexadecimal, model: settings.model,
            hiddenUnits: settings.hiddenUnits,
            parameterCount: ModelShape(settings, dataset).parameterCount,
            batchSize: settings.batchSize, seed: settings.seed, ranks: ranks)
    }

    /// What stands in the way of going on from the state of `other`; nil if nothing does.
    func obstacle(to other: CheckpointedRun) -> String? {
        func units(_ run: CheckpointedRun) -> String {
            let layers = run.hiddenUnits.map(String.init).joined(separator: ",")
            return run.model.rawValue + (layers.isEmpty ? "" : " with --hidden-units \(layers)")
        }
        let differences: [(Bool, String)] = [
            (other.dataset != dataset, "on \(other.dataset), not \(dataset)"),
            (other.datasetDigest != datasetDigest, "on other images than these of \(dataset)"),
            (
                other.model != model || other.hiddenUnits != hiddenUnits
                    || other.parameterCount != parameterCount,
                "as \(units(other)), not \(units(self))"
            ),
            (other.ranks != ranks, "by \(Self.text(other.ranks)), not \(ranks)"),
            (other.batchSize != batchSize, "with --batch-size \(other.batchSize), not \(batchSize)"),
            (other.seed != seed, "with --seed \(other.seed), not \(seed)"),
        ]
        return differences.first(where: \.0).map { "the state is that of a run \($0.1)" }
    }

    private static func text(_ ranks: Int) -> String { "\(ranks) \(ranks == 1 ? "rank" : "ranks")" }
}

/// Where a run's state is read and written, by rank 0 alone.
struct CheckpointFiles: Sendable, Equatable {
    /// Where it goes after each epoch.
    var saved: String?
    /// Where the run goes on from.
    var resumed: String?
}
