import ArgumentParser
import RingCollectives
import RingCompression
import RingCore
import RingLaunch

extension RingTrain {
    /// Refuses options that cannot be right, before anything is read, started or sent.
    public func validate() throws {
        try require((ranks ?? 1) >= 1, "--ranks must be at least 1, not \(ranks ?? 1)")
        try require(
            (ranks ?? 1) <= LocalLauncher.mostRanks, "--ranks must be at most \(LocalLauncher.mostRanks)")
        try require((epochs ?? 0) >= 0, "--epochs must be 0 or more, not \(epochs ?? 0)")
        try require((epochs ?? 0) <= Self.mostEpochs, "--epochs must be at most \(Self.mostEpochs)")
        try require((batchSize ?? 1) >= 1, "--batch-size must be at least 1, not \(batchSize ?? 1)")
        let learningRate = learningRate ?? 1
        try require(
            learningRate.isFinite && learningRate > 0,
            "--learning-rate must be a finite number above 0, not \(learningRate)")
        try require(momentum >= 0 && momentum < 1, "--momentum must be from 0 to below 1, not \(momentum)")
        let weightDecay = weightDecay ?? 0
        try require(
            weightDecay.isFinite && weightDecay >= 0,
            "--weight-decay must be a finite number from 0 up, not \(weightDecay)")
        try require(bucketBytes.bytes >= 4, "--bucket-bytes must be at least 4, not \(bucketBytes.bytes)")
        try require(
            (1...Self.mostBLASThreads).contains(blasThreads),
            "--blas-threads must be from 1 to \(Self.mostBLASThreads), not \(blasThreads)")
        try require(
            dataDir == nil || dataset != .digits, "--data-dir has no meaning for digits, which are built in")
        _ = try hiddenLayers()
        try validateCollectiveOptions()
    }

    private func validateCollectiveOptions() throws {
        try require(
            ["auto", "tcp", "rdma"].contains(transport),
            "--transport must be auto, tcp or rdma, not '\(transport)'")
        let known = ["auto", "tree"] + Algorithm.all(for: .allReduce).map(\.description)
        try require(
            known.contains(algorithm),
            "--algorithm must be one of \(known.joined(separator: ", ")), not '\(algorithm)'")
        do {
            _ = try gradientCompression().codec(for: .float32)
        } catch let error as CollectiveError { throw ValidationError(error.message) }
    }

    /// How gradients are compressed.
    func gradientCompression() throws -> Compression {
        guard let named = Compression(name: compression) else {
            throw ValidationError(
                "--compression must be none, float16, bfloat16, int8, int4 or lz4, not '\(compression)'")
        }
        return named
    }

    /// The hidden layers that ``hiddenUnits`` asks for, nil if it does not say.
    func hiddenLayers() throws -> [Int]? {
        guard let hiddenUnits else { return nil }
        try require(model == .mlp, "--hidden-units has no meaning for the model \(model.rawValue)")
        let layers = hiddenUnits.split(separator: ",", omittingEmptySubsequences: false).map { Int($0) ?? 0 }
        try require(
            (1...2).contains(layers.count) && layers.allSatisfy { (1...Self.mostHiddenUnits).contains($0) },
            "--hidden-units must be one or two numbers from 1 to \(Self.mostHiddenUnits), "
                + "as in 256,128, not '\(hiddenUnits)'")
        return layers
    }

    /// What to train with: the options, and for those not given, what suits the data set and the model.
    func settings() throws -> TrainingSettings {
        var settings = TrainingSettings.recommended(for: dataset, model)
        if let hidden = try hiddenLayers() { settings.hiddenUnits = hidden }
        if let epochs { settings.epochs = epochs }
        if let batchSize { settings.batchSize = batchSize }
        if let learningRate { settings.learningRate = learningRate }
        if let weightDecay { settings.weightDecay = weightDecay }
        settings.learningRateSchedule = schedule
        settings.momentum = momentum
        settings.isNesterov = nesterov
        settings.seed = seed
        settings.bucketBytes = bucketBytes.bytes
        return settings
    }

    private func require(_ condition: Bool, _ message: @autoclosure () -> String) throws {
        guard condition else { throw ValidationError(message()) }
    }

    /// Keeps the number of steps of a run far from overflow.
    private static let mostEpochs = 1_000_000
    private static let mostHiddenUnits = 65_536
    private static let mostBLASThreads = 1_024
}
