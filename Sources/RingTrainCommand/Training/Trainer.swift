import Crypto
import Foundation
import RingCore

/// One rank of a data-parallel training run: stochastic gradient descent on its share of every batch, with the
/// gradient summed over the ranks.
///
/// All ranks start from rank 0's parameters and make the same steps, so their parameters stay bit-identical,
/// which is checked at the end.
final class Trainer {
    let settings: TrainingSettings
    let dataset: Dataset
    let shape: ModelShape
    let parameters: FloatBuffer
    let gradient: FloatBuffer

    let exchange: any GradientExchange
    let files: CheckpointFiles
    let reducer: GradientReducer
    let optimizer: Optimizer
    private let observer: (any TrainingObserver)?
    private let schedule: SampleSchedule
    private let forward: ForwardPass
    private let backward: BackwardPass
    /// What a run must have in common with this one to go on from its state.
    private(set) lazy var checkpointedRun = CheckpointedRun(settings, dataset, ranks: exchange.worldSize)
    /// Time in blocking collectives; the reducer counts its own.
    private var blockedTime: Duration = .zero

    /// Allocates everything that the run needs; it communicates nothing yet.
    init(
        settings: TrainingSettings, dataset: Dataset, exchange: any GradientExchange,
        files: CheckpointFiles = CheckpointFiles(), observer: (any TrainingObserver)? = nil
    ) {
        self.settings = settings
        self.dataset = dataset
        self.exchange = exchange
        self.files = files
        self.observer = observer
        shape = ModelShape(settings, dataset)
        schedule = SampleSchedule(
            sampleCount: dataset.training.count, batchSize: settings.batchSize,
            worldSize: exchange.worldSize, seed: settings.seed)
        parameters = FloatBuffer(count: shape.parameterCount)
        gradient = FloatBuffer(count: shape.parameterCount)
        reducer = GradientReducer(gradient: gradient, bucketBytes: settings.bucketBytes, exchange: exchange)
        let capacity = max(schedule.largestShare, Self.evaluationBatch)
        forward = ForwardPass(shape: shape, capacity: capacity)
        backward = BackwardPass(
            shape: shape, capacity: capacity, elementsPerBlock: reducer.plan.elementsPerBucket)
        optimizer = Optimizer(
            parameterCount: shape.parameterCount, momentum: settings.momentum,
            weightDecay: settings.weightDecay, isNesterov: settings.isNesterov)
    }

    /// How many buckets the gradient is summed in.
    var bucketCount: Int { reducer.plan.count }

    /// How many samples are evaluated at a time.
    private static let evaluationBatch = 256
}

extension Trainer {
    /// Trains and evaluates; to be called once, at about the same time on all ranks.
    func run() throws -> TrainingResult {
        let start = ContinuousClock.now
        try checkAgreement()
        shape.initialize(parameters, seed: settings.seed)
        let epochsDone = try blocking { try resume() }
        try blocking { try exchange.broadcast(parameters.elements) }

        let rates = LearningRateSchedule(
            kind: settings.learningRateSchedule, peak: settings.learningRate,
            stepCount: settings.epochs * schedule.stepsPerEpoch)
        var trainingTime: Duration = .zero
        var test: Metrics?
        for epoch in epochsDone..<settings.epochs {
            let epochStart = ContinuousClock.now
            let metrics = try train(epoch: epoch, rates: rates)
            let epochTime = ContinuousClock.now - epochStart
            trainingTime += epochTime
            guard metrics.meanLoss.isFinite else {
                throw TrainingError(
                    message: "the training loss is not finite any more in epoch \(epoch + 1); "
                        + "lower --learning-rate (now \(settings.learningRate))",
                    isKnownToAllRanks: true)
            }
            try blocking { try save(epochs: epoch + 1) }
            let testMetrics = try evaluate(dataset.test)
            observer?.didFinish(
                EpochResult(
                    epoch: epoch + 1, loss: metrics.meanLoss, testAccuracy: testMetrics.accuracy,
                    samplesPerSecond: metrics.sampleCount / epochTime.inSeconds,
                    learningRate: rates[(epoch + 1) * schedule.stepsPerEpoch - 1]))
            test = testMetrics
        }
        let trainLoss = try evaluate(dataset.training).meanLoss
        let testAccuracy = try (test ?? evaluate(dataset.test)).accuracy
        let digest = try agreedDigest()

        let seconds = (ContinuousClock.now - start).inSeconds
        let communicationSeconds = (blockedTime + reducer.waitingTime).inSeconds
        let trainedCount = Double((settings.epochs - epochsDone) * schedule.sampleCount)
        return TrainingResult(
            trainLoss: trainLoss, testAccuracy: testAccuracy,
            samplesPerSecond: trainedCount > 0 ? trainedCount / trainingTime.inSeconds : 0,
            seconds: seconds, computeSeconds: max(0, seconds - communicationSeconds),
            communicationSeconds: communicationSeconds, traffic: exchange.traffic, parametersSHA256: digest)
    }

    /// Makes sure that all ranks are about to do the same, before a different size surprises a collective.
    private func checkAgreement() throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        // Which file it is, is rank 0's affair; whether there is one is not.
        let steps = [files.saved == nil ? 0 : 1, files.resumed == nil ? 0 : 1] as [UInt8]
        let options = Array(SHA256.hash(data: try encoder.encode(settings) + steps))
        try blocking {
            try RankAgreement.check(
                options, of: "the options", advice: "start all ranks with the same options",
                over: exchange)
            try RankAgreement.check(
                dataset.digest, of: "the data set \(dataset.name)", advice: "give all ranks the same files",
                over: exchange)
        }
    }

    /// Trains on every sample once; the metrics are those of all ranks.
    private func train(epoch: Int, rates: LearningRateSchedule) throws -> Metrics {
        let order = schedule.order(ofEpoch: epoch)
        var metrics = Metrics()
        for step in 0..<schedule.stepsPerEpoch {
            metrics += try computeGradient(samples: order[schedule.share(ofRank: exchange.rank, step: step)])
            optimizer.step(
                parameters: parameters, gradient: gradient, sampleCount: schedule.batch(step).count,
                learningRate: rates[epoch * schedule.stepsPerEpoch + step])
            observer?.didStep(epoch: epoch + 1, sampleCount: schedule.batch(step).upperBound)
        }
        return try summed(metrics)
    }

    /// Sets the gradient to that of the loss summed over this rank's samples and all other ranks'.
    ///
    /// A rank without samples contributes zeros. The metrics are those of this rank's samples.
    func computeGradient(samples: ArraySlice<Int32>) throws -> Metrics {
        let inputs = forward.inputs(sampleCount: samples.count)
        dataset.training.gather(samples, normalization: dataset.normalization, into: inputs.start)
        let scores = forward.run(parameters: parameters, sampleCount: samples.count)
        let metrics = SoftmaxCrossEntropy.evaluate(
            scores: scores, labels: samples.lazy.map { self.dataset.training.labels[Int($0)] })
        try backward.run(
            forward: forward, parameters: parameters, scoreGradient: scores, gradient: gradient,
            filled: reducer.fill(from:))
        try reducer.finish()
        return metrics
    }

    /// Measures the model on images, each rank on its part of them; the metrics are those of all ranks.
    private func evaluate(_ images: LabelledImages) throws -> Metrics {
        var metrics = Metrics()
        let part = Partition(count: images.count, parts: exchange.worldSize)[exchange.rank]
        let indices = part.map { Int32($0) }
        for start in stride(from: 0, to: indices.count, by: forward.capacity) {
            let batch = indices[start..<min(start + forward.capacity, indices.count)]
            let inputs = forward.inputs(sampleCount: batch.count)
            images.gather(batch, normalization: dataset.normalization, into: inputs.start)
            let scores = forward.run(parameters: parameters, sampleCount: batch.count)
            metrics += SoftmaxCrossEntropy.evaluate(
                scores: scores, labels: batch.lazy.map { images.labels[Int($0)] })
        }
        return try summed(metrics)
    }

    /// The metrics added up over the ranks.
    private func summed(_ metrics: Metrics) throws -> Metrics {
        var values = [metrics.lossSum, metrics.correctCount, metrics.sampleCount]
        try blocking { try exchange.sum(&values) }
        return Metrics(lossSum: values[0], correctCount: values[1], sampleCount: values[2])
    }

    /// The parameters' digest, after all ranks have found theirs to be the same.
    private func agreedDigest() throws -> String {
        let digest = Array(SHA256.hash(data: UnsafeRawBufferPointer(parameters.elements)))
        try blocking {
            try RankAgreement.check(
                digest, of: "the trained parameters",
                advice:
                    "the collectives or the processors do not compute alike, and the model is not to be used",
                over: exchange)
        }
        return digest.hexadecimal
    }

    private func blocking<Result>(_ body: () throws -> Result) rethrows -> Result {
        let start = ContinuousClock.now
        defer { blockedTime += ContinuousClock.now - start }
        return try body()
    }
}

extension [UInt8] {
    /// In hexadecimal digits.
    var hexadecimal: String { map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined() }
}

extension ModelShape {
    /// The shape of a run's model.
    init(_ settings: TrainingSettings, _ dataset: Dataset) {
        self.init(
            inputs: dataset.training.pixelCount, hidden: settings.hiddenUnits, classes: dataset.classCount)
    }
}
