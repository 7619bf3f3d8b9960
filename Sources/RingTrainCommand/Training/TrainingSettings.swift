/// Everything that decides what a training run computes. All ranks must have the same.
struct TrainingSettings: Sendable, Equatable, Codable {
    var model: ModelName
    /// How many units each hidden layer has; none for ``ModelName/linear``.
    var hiddenUnits: [Int]
    var epochs: Int
    /// How many samples all ranks together take in a step.
    var batchSize: Int
    var learningRate: Float
    var learningRateSchedule: LearningRateSchedule.Kind
    var momentum: Float
    var isNesterov: Bool
    var weightDecay: Float
    var seed: UInt64
    /// How large a bucket of the gradient is.
    var bucketBytes: Int
}

/// A model that the trainer knows.
enum ModelName: String, Sendable, CaseIterable, Codable {
    /// Softmax regression.
    case linear
    /// A multilayer perceptron: hidden layers with rectifiers, then softmax regression.
    case mlp
}

extension LearningRateSchedule.Kind: Codable {}

extension TrainingSettings {
    /// What `ringtrain` trains with unless told otherwise, chosen by trial for each data set and model.
    static func recommended(for dataset: DatasetName, _ model: ModelName) -> TrainingSettings {
        var settings = TrainingSettings(
            model: model, hiddenUnits: [], epochs: 10, batchSize: 128, learningRate: 0.01,
            learningRateSchedule: .cosine, momentum: 0.9, isNesterov: true, weightDecay: 1e-4, seed: 0,
            bucketBytes: 256 << 10)
        switch (dataset, model) {
        case (.digits, .linear):
            settings.epochs = 30
            settings.batchSize = 64
            settings.learningRate = 0.02
            settings.weightDecay = 1e-3
        case (.digits, .mlp):
            settings.hiddenUnits = [128]
            settings.epochs = 30
            settings.batchSize = 64
            settings.learningRate = 0.1
            settings.weightDecay = 1e-3
        case (.fashionMNIST, .linear):
            break
        case (.fashionMNIST, .mlp):
            settings.hiddenUnits = [256]
            settings.learningRate = 0.05
        }
        return settings
    }
}
