import Foundation
import Testing

/// The program as its users start it.
@Suite(.serialized) struct ProgramTests {
    static let short = ["--epochs", "2", "--format", "json"]

    @Test func aSingleRankPrintsOneDocument() throws {
        let run = try ProgramRun(Self.short + ["--seed", "3"])
        #expect(run.status == 0)
        let report = try run.report()
        #expect(report["ranks"] as? Int == 1)
        #expect(report["dataset"] as? String == "digits" && report["model"] as? String == "mlp")
        #expect(report["wire_bytes"] as? Int == 0)
        #expect(run.complaints.contains("epoch 2/2  loss "))
        #expect(!run.complaints.contains("\u{1B}"))
        let again = try ProgramRun(Self.short + ["--seed", "3"]).report()
        #expect(again["parameters_sha256"] as? String == report["parameters_sha256"] as? String)
    }

    @Test func textEndsWithTheDigest() throws {
        let run = try ProgramRun(["--epochs", "1", "--model", "linear"])
        #expect(run.status == 0)
        #expect(run.output.hasPrefix("train loss ") && run.output.hasSuffix(", the same on its one rank\n"))
    }

    @Test(arguments: [
        ["--batch-size", "0"], ["--compression", "int5"], ["-n", "0"], ["--dataset", "mnist"],
    ])
    func badUsageIsOneLineAndStatus64(arguments: [String]) throws {
        let run = try ProgramRun(arguments)
        #expect(run.status == 64)
        #expect(run.output == "")
        #expect(run.complaints.hasPrefix("ringtrain: ") && run.complaints.filter { $0 == "\n" }.count == 1)
    }

    @Test func helpIsForStandardOutput() throws {
        let run = try ProgramRun(["--help"])
        #expect(run.status == 0 && run.complaints == "")
        #expect(run.output.contains("--learning-rate"))
    }

    @Test(arguments: [[], ["-n", "3"]])
    func missingDataIsOneLine(ranks: [String]) throws {
        let run = try ProgramRun(ranks + ["--dataset", "fashion-mnist", "--data-dir", "/nowhere"])
        #expect(run.status == 1)
        #expect(run.output == "")
        #expect(
            run.complaints
                == "ringtrain: /nowhere: has neither train-images-idx3-ubyte nor train-images-idx3-ubyte.gz; "
                + "apt-get install dataset-fashion-mnist puts the files into /usr/share/datasets/fashion-mnist\n"
        )
    }

    @Test func aVariableOfALauncherThatCannotBeRightIsBadUsage() throws {
        let run = try ProgramRun([], job: ["RANK": "three", "WORLD_SIZE": "4"])
        #expect(run.status == 64)
        #expect(run.complaints.contains("RANK") && run.complaints.filter { $0 == "\n" }.count == 1)
    }

    @Test(arguments: [2, 4])
    func localRanksTrainTheSameModel(ranks: Int) throws {
        let alone = try ProgramRun(Self.short).report()
        let options = ["-n", "\(ranks)", "--bucket-bytes", "8K", "--algorithm", "ring"]
        let run = try ProgramRun(Self.short + options)
        #expect(run.status == 0, "\(run.complaints)")
        let report = try run.report()
        #expect(report["ranks"] as? Int == ranks)
        #expect(report["transport"] as? String == "tcp")
        #expect(report["algorithm"] as? String == "ring")
        #expect((report["wire_bytes"] as? Int ?? 0) > 0)
        let loss = try #require(report["train_loss"] as? Double)
        let expected = try #require(alone["train_loss"] as? Double)
        #expect(abs(loss - expected) < 1e-3 * expected)
        let again = try ProgramRun(Self.short + options).report()
        #expect(again["parameters_sha256"] as? String == report["parameters_sha256"] as? String)
    }

    /// As well as without compression, and with as few bytes as it promises.
    @Test(arguments: [("bfloat16", 0.52), ("int8", 0.27), ("int4", 0.15)])
    func compressedGradientsTrainAsWell(compression: String, share: Double) throws {
        let options = ["-n", "2", "--epochs", "10", "--format", "json"]
        let plain = try ProgramRun(options).report()
        let run = try ProgramRun(options + ["--compression", compression])
        #expect(run.status == 0, "\(run.complaints)")
        let report = try run.report()
        #expect(report["compression"] as? String == compression)
        let accuracy = try #require(report["test_accuracy"] as? Double)
        let expected = try #require(plain["test_accuracy"] as? Double)
        #expect(accuracy > expected - 0.02)
        let bytes = try #require(report["wire_bytes"] as? Int)
        let plainBytes = try #require(plain["wire_bytes"] as? Int)
        #expect(Double(bytes) <= share * Double(plainBytes))
    }

    @Test func ranksOfALaunchersJobTrainTogether() throws {
        let runs = try ProgramRun.job(ranks: 3) { _ in Self.short }
        for run in runs { #expect(run.status == 0, "\(run.complaints)") }
        #expect(try runs[0].report()["ranks"] as? Int == 3)
        #expect(runs[1].output == "" && runs[2].output == "")
        #expect(runs[1].complaints == "" && runs[2].complaints == "")
    }

    @Test func ranksWithOtherOptionsAreRefusedByName() throws {
        let runs = try ProgramRun.job(ranks: 3) { rank in Self.short + ["--seed", rank == 2 ? "5" : "4"] }
        for run in runs { #expect(run.status == 1 && run.output == "") }
        #expect(
            runs[0].complaints.hasSuffix(
                "ringtrain: rank 2 differs from rank 0 in the options; start all ranks with the same options\n"
            ))
        #expect(runs[1].complaints == "" && runs[2].complaints == "")
    }

    @Test func aRankWithoutDataEndsTheJob() throws {
        let runs = try ProgramRun.job(ranks: 2) { rank in
            rank == 0 ? Self.short : Self.short + ["--dataset", "fashion-mnist", "--data-dir", "/nowhere"]
        }
        for run in runs { #expect(run.status == 1 && run.output == "") }
        #expect(runs[1].complaints.hasPrefix("ringtrain: rank 1: /nowhere: has neither "))
        #expect(runs[0].complaints.contains("ringtrain: rank 0: ") && runs[0].complaints.contains("rank 1"))
    }
}
