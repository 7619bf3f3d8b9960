/// What one epoch came to, over all ranks.
struct EpochResult: Sendable, Equatable {
    /// The epoch's number, from 1.
    var epoch: Int
    /// The mean loss of the samples as they were trained on, before each step.
    var loss: Double
    /// The share of test images that the model classifies correctly after the epoch.
    var testAccuracy: Double
    /// How fast all ranks together trained, evaluation left out.
    var samplesPerSecond: Double
    /// The learning rate of the epoch's last step.
    var learningRate: Float
}

/// What a training run came to.
struct TrainingResult: Sendable, Equatable {
    /// The mean loss over all training images with the final parameters.
    var trainLoss: Double
    /// The share of test images that the final model classifies correctly.
    var testAccuracy: Double
    /// How fast all ranks together trained, evaluation left out; 0 if they did not train.
    var samplesPerSecond: Double
    /// The whole run on this rank, evaluation included, connecting and reading the data not.
    var seconds: Double
    /// The part of the run in which this rank computed.
    var computeSeconds: Double
    /// The part of the run in which this rank waited for communication that computing did not hide.
    var communicationSeconds: Double
    /// What this rank's communication came to.
    var traffic: Traffic
    /// The SHA-256 digest of the final parameters' bytes, in hexadecimal digits: the same on all ranks.
    var parametersSHA256: String
}

/// Someone who wants to know how far training has come. Called on the trainer's thread.
protocol TrainingObserver {
    /// A step of an epoch (from 1) has ended; all ranks together have trained on this many of its samples.
    func didStep(epoch: Int, sampleCount: Int)
    /// An epoch has ended.
    func didFinish(_ epoch: EpochResult)
}
