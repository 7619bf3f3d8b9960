import Foundation
import Testing

@testable import RingTrainCommand

/// The file that a run's state is kept in.
@Suite struct CheckpointTests {
    private static let run = CheckpointedRun(
        dataset: "digits", datasetDigest: "ab12", model: .mlp, hiddenUnits: [3], parameterCount: 5,
        batchSize: 8, seed: 1, ranks: 2)
    private static let checkpoint = Checkpoint(
        run: run, epochs: 7, parameters: RandomData.floats(5, seed: 1),
        velocity: RandomData.floats(5, seed: 2),
        residuals: [RandomData.floats(5, seed: 3), RandomData.floats(5, seed: 4)])

    @Test func isReadAsItWasWritten() throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/state"
        var plain = Self.checkpoint
        plain.residuals = []
        for checkpoint in [Self.checkpoint, plain] {
            try checkpoint.write(to: path)
            #expect(try Checkpoint.read(path, for: Self.run, epochs: 9) == checkpoint)
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["state"])
    }

    @Test func aFileOfSomethingElseIsRefused() throws {
        for bytes in [[], Array("P5 28 28 255".utf8), [UInt8](repeating: 0, count: 300)] {
            #expect(reason(bytes) == "is no checkpoint of ringtrain")
        }
    }

    @Test func aFileThatIsCutShortOrDamagedIsRefused() throws {
        let bytes = try Self.checkpoint.bytes
        for count in 8..<bytes.count {
            #expect(reason(Array(bytes[..<count])) == "is damaged, or was cut short", "\(count) bytes")
        }
        #expect(reason(bytes + [0]) == "is damaged, or was cut short")
        for index in stride(from: 8, to: bytes.count, by: 7) {
            var damaged = bytes
            damaged[index] ^= 4
            #expect(reason(damaged) == "is damaged, or was cut short", "byte \(index)")
        }
    }

    private static func other(_ change: (inout CheckpointedRun) -> Void) -> CheckpointedRun {
        var other = run
        change(&other)
        return other
    }

    @Test(arguments: [
        ("on digits, not fashion-mnist", other { $0.dataset = "fashion-mnist" }),
        ("on other images than these of digits", other { $0.datasetDigest = "cd" }),
        ("as mlp with --hidden-units 3, not linear", other { ($0.model, $0.hiddenUnits) = (.linear, []) }),
        ("as mlp with --hidden-units 3, not mlp with --hidden-units 4,5", other { $0.hiddenUnits = [4, 5] }),
        ("by 2 ranks, not 3", other { $0.ranks = 3 }),
        ("with --batch-size 8, not 16", other { $0.batchSize = 16 }),
        ("with --seed 1, not 0", other { $0.seed = 0 }),
    ])
    func theStateOfAnotherRunIsRefused(_ complaint: String, _ other: CheckpointedRun) throws {
        #expect(
            reason(try Self.checkpoint.bytes, for: other)
                == "cannot be resumed: the state is that of a run \(complaint)")
    }

    @Test func aFileThatCannotBeReadOrWrittenIsNamed() throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/none/state"
        #expect(throws: DataError(path, "cannot be read: no such file or directory")) {
            try Checkpoint.read(path, for: Self.run, epochs: 9)
        }
        #expect(throws: DataError(path, "cannot be written: no such file or directory")) {
            try Self.checkpoint.write(to: path)
        }
    }

    /// What cannot take the file's place leaves the old one, and nothing else.
    @Test func aFailedWriteLeavesTheOldState() throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/state"
        try FileManager.default.createDirectory(atPath: path + "/full", withIntermediateDirectories: true)
        #expect(throws: DataError.self) { try Self.checkpoint.write(to: path) }
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["state"])
    }

    private func reason(_ bytes: [UInt8], for run: CheckpointedRun = run) -> String? {
        do {
            _ = try Checkpoint(bytes, for: run)
            return nil
        } catch { return error.reason }
    }
}

/// Runs that stop and go on.
@Suite(.serialized) struct ResumingTests {
    private static let options = [
        "-n", "2", "--bucket-bytes", "8K", "--algorithm", "ring", "--format", "json", "--seed", "5",
    ]
    private static let int4 = options + ["--schedule", "constant", "--compression", "int4"]

    private func digest(_ arguments: [String]) throws -> String {
        let run = try ProgramRun(arguments)
        #expect(run.status == 0, "\(run.complaints)")
        return try #require(try run.report()["parameters_sha256"] as? String)
    }

    /// Bit for bit what a run that was never stopped comes to: not so without what error feedback has kept.
    @Test func goesOnWithTheResiduals() throws {
        let folder = try TemporaryFolder()
        let state = folder.path + "/state"
        let whole = try digest(Self.int4 + ["--epochs", "4"])
        let half = try digest(Self.int4 + ["--epochs", "2", "--checkpoint", state])
        let resumed = Self.int4 + ["--epochs", "4", "--resume", state]
        #expect(half != whole)
        #expect(try digest(resumed) == whole)
        #expect(try digest(resumed + ["--no-error-feedback"]) != whole)
        // Once more, over the file that the run goes on from, and then with nothing left to do.
        #expect(try digest(resumed + ["--checkpoint", state]) == whole)
        #expect(try digest(resumed) == whole)
    }

    /// The schedule of a run that was ended half-way goes on where it was.
    @Test func goesOnWithTheSchedule() throws {
        let folder = try TemporaryFolder()
        let dataset = RandomData.dataset()
        let settings = TrainingSettings.small(epochs: 6)
        let whole = try Trainer(settings: settings, dataset: dataset, exchange: SoloExchange()).run()
        let state = folder.path + "/state"
        let listener = Copier(from: state, to: folder.path + "/half", after: 3)
        let files = CheckpointFiles(saved: state, resumed: nil)
        let saved = try Trainer(
            settings: settings, dataset: dataset, exchange: SoloExchange(), files: files, observer: listener
        ).run()
        let resumed = try Trainer(
            settings: settings, dataset: dataset, exchange: SoloExchange(),
            files: CheckpointFiles(saved: nil, resumed: folder.path + "/half")
        ).run()
        #expect(saved.parametersSHA256 == whole.parametersSHA256)
        #expect(resumed.parametersSHA256 == whole.parametersSHA256)
        #expect(resumed.trainLoss == whole.trainLoss)
    }

    /// Keeps the state as it is after an epoch.
    private final class Copier: TrainingObserver {
        let (source, target, epoch): (String, String, Int)

        init(from source: String, to target: String, after epoch: Int) {
            (self.source, self.target, self.epoch) = (source, target, epoch)
        }

        func didStep(epoch: Int, sampleCount: Int) {}
        func didFinish(_ result: EpochResult) {
            guard result.epoch == epoch else { return }
            try? FileManager.default.copyItem(atPath: source, toPath: target)
        }
    }

    @Test func whatCannotBeResumedIsOneLine() throws {
        let folder = try TemporaryFolder()
        let state = folder.path + "/state"
        _ = try digest(Self.options + ["--epochs", "2", "--checkpoint", state])
        let text = try folder.write(Array("no state at all".utf8), to: "text")
        let cases = [
            (Self.options + ["--resume", text], "\(text): is no checkpoint of ringtrain"),
            (
                Self.options + ["--epochs", "1", "--resume", state],
                "\(state): cannot be resumed: 2 epochs are done, --epochs is 1"
            ),
            (
                Self.options + ["-n", "3", "--resume", state],
                "\(state): cannot be resumed: the state is that of a run by 2 ranks, not 3"
            ),
            (
                Self.options + ["--hidden-units", "9", "--resume", state],
                "\(state): cannot be resumed: the state is that of a run as mlp with --hidden-units 128, "
                    + "not mlp with --hidden-units 9"
            ),
        ]
        for (arguments, complaint) in cases {
            let run = try ProgramRun(arguments)
            #expect(run.status == 1 && run.output == "")
            #expect(run.complaints == "ringtrain: \(complaint)\n")
        }
        // Ranks that a launcher starts: the first alone has to do with the file.
        let runs = try ProgramRun.job(ranks: 2) { rank in ["--resume", rank == 0 ? text : "/nowhere"] }
        for run in runs { #expect(run.status == 1 && run.output == "") }
        #expect(runs[0].complaints.hasSuffix("ringtrain: \(text): is no checkpoint of ringtrain\n"))
        #expect(runs[1].complaints == "")
    }

    @Test func ranksMustAllKeepStateOrNone() throws {
        let folder = try TemporaryFolder()
        let runs = try ProgramRun.job(ranks: 2) { rank in
            ["--epochs", "1"] + (rank == 0 ? ["--checkpoint", folder.path + "/state"] : [])
        }
        for run in runs { #expect(run.status == 1 && run.output == "") }
        #expect(runs[0].complaints.hasSuffix("start all ranks with the same options\n"))
    }
}
