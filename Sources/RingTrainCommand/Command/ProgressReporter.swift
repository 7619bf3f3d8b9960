import Foundation

/// Tells on a console how training goes: a line for each epoch, and a progress bar within it on a terminal.
final class ProgressReporter: TrainingObserver {
    private let console: Console
    private let epochs: Int
    private let samplesPerEpoch: Int
    private var epochStart = ContinuousClock.now
    private var lastUpdate: ContinuousClock.Instant?

    init(console: Console, epochs: Int, samplesPerEpoch: Int) {
        self.console = console
        self.epochs = epochs
        self.samplesPerEpoch = samplesPerEpoch
    }

    func didStep(epoch: Int, sampleCount: Int) {
        guard console.isTerminal else { return }
        let now = ContinuousClock.now
        if let lastUpdate, now - lastUpdate < Self.updateInterval { return }
        lastUpdate = now
        let seconds = epochStart.duration(to: now) / .seconds(1)
        console.progress { width in
            ProgressLine.text(
                epoch: epoch, epochs: epochs, fraction: Double(sampleCount) / Double(samplesPerEpoch),
                samplesPerSecond: Double(sampleCount) / seconds, width: width)
        }
    }

    func didFinish(_ epoch: EpochResult) {
        console.line(Self.line(epoch, epochs: epochs))
        epochStart = .now
    }

    /// An epoch's line; every run's lines have the same columns.
    static func line(_ epoch: EpochResult, epochs: Int) -> String {
        String(
            format: "epoch %\("\(epochs)".count)d/%d  loss %.4f  test accuracy %.4f  %.0f samples/s",
            epoch.epoch, epochs, epoch.loss, epoch.testAccuracy, epoch.samplesPerSecond)
    }

    private static let updateInterval = Duration.milliseconds(100)
}
