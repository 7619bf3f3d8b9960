import Foundation
import RingSystem

extension RingTrain {
    /// Trains as one rank, and on rank 0 tells how it goes and prints the result on standard output.
    ///
    /// `transport` and `algorithm` are the names for the report.
    func train(
        over exchange: any GradientExchange, transport: String, standardError: Console = Console()
    ) throws {
        let settings = try settings()
        Matrix.setThreads(blasThreads)
        let dataset = try dataset.load(directory: dataDir)
        let isFirst = exchange.rank == 0
        let reporter = ProgressReporter(
            console: standardError, epochs: settings.epochs, samplesPerEpoch: dataset.training.count)
        let trainer = Trainer(
            settings: settings, dataset: dataset, exchange: exchange,
            files: CheckpointFiles(saved: checkpoint, resumed: resume), observer: isFirst ? reporter : nil)
        if isFirst {
            for line in header(trainer, worldSize: exchange.worldSize, transport: transport) {
                standardError.line(line)
            }
        }
        defer { standardError.clearProgress() }
        let result = try trainer.run()
        guard isFirst else { return }
        let report = Report(
            settings: settings, trainer: trainer, result: result, worldSize: exchange.worldSize,
            transport: transport, compression: compression)
        try StandardStream.output.write(try report.rendered(as: format) + "\n")
    }

    /// What is about to run, in lines.
    private func header(_ trainer: Trainer, worldSize: Int, transport: String) -> [String] {
        let (shape, settings) = (trainer.shape, trainer.settings)
        let sizes = ([shape.inputs] + shape.layers.map(\.outputs)).map(String.init).joined(separator: "-")
        let momentumKind = settings.isNesterov ? " (Nesterov)" : ""
        let buckets = trainer.bucketCount
        return [
            "ringtrain: \(settings.model.rawValue) \(sizes), \(shape.parameterCount) parameters, on "
                + "\(trainer.dataset.name): \(trainer.dataset.training.count) training and "
                + "\(trainer.dataset.test.count) test images",
            "ringtrain: \(worldSize) \(worldSize == 1 ? "rank" : "ranks over \(transport)"), batch "
                + "\(settings.batchSize), learning rate \(settings.learningRate) "
                + "(\(settings.learningRateSchedule.rawValue)), momentum \(settings.momentum)\(momentumKind), "
                + "seed \(settings.seed), gradient in \(buckets) \(buckets == 1 ? "bucket" : "buckets")",
        ]
    }
}

extension Report {
    /// The report of a run.
    init(
        settings: TrainingSettings, trainer: Trainer, result: TrainingResult, worldSize: Int,
        transport: String, compression: String
    ) {
        self.init(
            ranks: worldSize, dataset: trainer.dataset.name, model: settings.model.rawValue,
            hiddenUnits: settings.hiddenUnits, parameters: trainer.shape.parameterCount,
            epochs: settings.epochs, batchSize: settings.batchSize, learningRate: settings.learningRate,
            seed: settings.seed, transport: transport,
            algorithm: result.traffic.algorithms.isEmpty
                ? "none" : result.traffic.algorithms.sorted().joined(separator: ","),
            compression: compression, trainLoss: result.trainLoss, testAccuracy: result.testAccuracy,
            samplesPerSecond: result.samplesPerSecond, seconds: result.seconds,
            computeSeconds: result.computeSeconds, communicationSeconds: result.communicationSeconds,
            wireBytes: result.traffic.sentBytes, parametersSHA256: result.parametersSHA256)
    }
}
