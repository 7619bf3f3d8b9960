import ArgumentParser
import RingCommandLine
import RingCore
import Testing

@testable import RingTrainCommand

@Suite struct OptionsTests {
    @Test(
        arguments: [
            (["--ranks", "0"], "--ranks must be at least 1, not 0"),
            (["-n", "-2"], "--ranks must be at least 1, not -2"),
            (["-n", "1025"], "--ranks must be at most 1024"),
            (["-n"], "Missing value for '-n <ranks>'"),
            (["--batch-size", "0"], "--batch-size must be at least 1, not 0"),
            (["--batch-size", "-5"], "--batch-size must be at least 1, not -5"),
            (["--epochs", "-1"], "--epochs must be 0 or more, not -1"),
            (["--epochs=-1"], "--epochs must be 0 or more, not -1"),
            (["--epochs", "1000001"], "--epochs must be at most 1000000"),
            (["--epochs", "many"], "The value 'many' is invalid for '--epochs <epochs>'"),
            (["--learning-rate", "nan"], "--learning-rate must be a finite number above 0, not nan"),
            (["--learning-rate", "inf"], "--learning-rate must be a finite number above 0, not inf"),
            (["--learning-rate", "0"], "--learning-rate must be a finite number above 0, not 0.0"),
            (["--momentum", "1"], "--momentum must be from 0 to below 1, not 1.0"),
            (["--momentum", "-0.1"], "--momentum must be from 0 to below 1, not -0.1"),
            (["--momentum", "nan"], "--momentum must be from 0 to below 1, not nan"),
            (["--weight-decay", "-1"], "--weight-decay must be a finite number from 0 up, not -1.0"),
            (["--bucket-bytes", "3"], "--bucket-bytes must be at least 4, not 3"),
            (["--bucket-bytes", "1T"], "The value '1T' is invalid for '--bucket-bytes <bytes>'"),
            (["--blas-threads", "0"], "--blas-threads must be from 1 to 1024, not 0"),
            (["--seed", "-1"], "The value '-1' is invalid for '--seed <seed>'"),
            (["--data-dir", "x"], "--data-dir has no meaning for digits, which are built in"),
            (
                ["--model", "linear", "--hidden-units", "5"],
                "--hidden-units has no meaning for the model linear"
            ),
            (
                ["--hidden-units", "5,"],
                "--hidden-units must be one or two numbers from 1 to 65536, as in 256,128, not '5,'"
            ),
            (
                ["--hidden-units", "1,2,3"],
                "--hidden-units must be one or two numbers from 1 to 65536, as in 256,128, not '1,2,3'"
            ),
            (["--transport", "udp"], "--transport must be auto, tcp or rdma, not 'udp'"),
            (
                ["--compression", "zip"],
                "--compression must be none, float16, bfloat16, int8, int4 or lz4, not 'zip'"
            ),
            (
                ["--algorithm", "rings"],
                "--algorithm must be one of auto, tree, ring, bidirectional-ring, double-binary-tree, "
                    + "halving-doubling, recursive-doubling, binomial-tree, direct, not 'rings'"
            ),
            (["extra"], "Unexpected argument 'extra'"),
            (["--frobnicate"], "Unknown option '--frobnicate'"),
        ] as [([String], String)])
    func badOptionsGetOneLineAndStatus64(arguments: [String], reason: String) {
        do {
            _ = try RingTrain.parse(arguments)
            Issue.record("\(arguments) were accepted")
        } catch {
            let outcome = RingTrain.Outcome(of: error)
            #expect(outcome.status == 64)
            #expect(outcome.output == nil)
            #expect(outcome.complaint == "ringtrain: \(reason) (ringtrain --help lists the options)")
        }
    }

    @Test(arguments: [
        ("--dataset", "mnist"), ("--model", "cnn"), ("--schedule", "step"), ("--format", "xml"),
    ])
    func unknownNamesAreRefusedWithTheKnownOnes(option: String, value: String) {
        do {
            _ = try RingTrain.parse([option, value])
            Issue.record("\(option) \(value) was accepted")
        } catch {
            let outcome = RingTrain.Outcome(of: error)
            let complaint = outcome.complaint ?? ""
            #expect(outcome.status == 64)
            #expect(complaint.hasPrefix("ringtrain: The value '\(value)' is invalid for '\(option) <"))
            #expect(complaint.contains("Please provide one of") && !complaint.contains("\n"))
        }
    }

    @Test func helpIsNoFailure() {
        do {
            _ = try RingTrain.parse(["--help"])
            Issue.record("--help gave a command")
        } catch {
            let outcome = RingTrain.Outcome(of: error)
            #expect(outcome.status == 0 && outcome.complaint == nil)
            #expect(outcome.output?.contains("--batch-size") == true)
        }
    }

    @Test func otherErrorsExitWithStatus1() {
        let outcome = RingTrain.Outcome(of: DataError("file", "is truncated"))
        #expect(outcome.status == 1)
        #expect(outcome.complaint == "ringtrain: file: is truncated")
    }

    @Test(arguments: DatasetName.allCases, ModelName.allCases)
    func defaultsSuitTheDataSetAndTheModel(dataset: DatasetName, model: ModelName) throws {
        let command = try RingTrain.parse(["--dataset", dataset.rawValue, "--model", model.rawValue])
        let settings = try command.settings()
        #expect(settings == .recommended(for: dataset, model))
        #expect(settings.hiddenUnits.isEmpty == (model == .linear))
        #expect(dataset == .digits || settings.epochs <= 10)
    }

    @Test func everyOptionArrivesInTheSettings() throws {
        let command = try RingTrain.parse([
            "--hidden-units", "12,5", "--epochs", "0", "--batch-size", "7", "--learning-rate", "0.25",
            "--schedule", "constant", "--momentum", "0.5", "--no-nesterov", "--weight-decay", "0", "--seed",
            "18446744073709551615", "--bucket-bytes", "1M", "-t", "tcp", "-a", "ring", "-z", "none", "-n",
            "3",
        ])
        #expect(
            try command.settings()
                == TrainingSettings(
                    model: .mlp, hiddenUnits: [12, 5], epochs: 0, batchSize: 7, learningRate: 0.25,
                    learningRateSchedule: .constant, momentum: 0.5, isNesterov: false, weightDecay: 0,
                    seed: .max, bucketBytes: 1 << 20))
        #expect(command.ranks == 3)
    }

    @Test(
        arguments: [
            (["-n", "4"], []), (["--ranks", "4", "--seed", "1"], ["--seed", "1"]),
            (["--seed", "1", "--ranks=4"], ["--seed", "1"]),
            (["-n=4", "--model", "mlp"], ["--model", "mlp"]),
            (["--no-nesterov", "-n", "2", "-z", "none"], ["--no-nesterov", "-z", "none"]), ([], []),
        ] as [([String], [String])])
    func localRanksGetAllOptionsButTheirNumber(arguments: [String], expected: [String]) throws {
        let kept = LocalRanks.removingRanks(from: arguments)
        #expect(kept == expected)
        #expect(try RingTrain.parse(arguments).settings() == RingTrain.parse(kept).settings())
        #expect(try RingTrain.parse(kept).ranks == nil)
    }
}
