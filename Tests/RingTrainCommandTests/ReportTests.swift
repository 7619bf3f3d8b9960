import Foundation
import Testing

@testable import RingTrainCommand

@Suite struct ReportTests {
    static let report = Report(
        ranks: 4, dataset: "digits", model: "mlp", hiddenUnits: [128], parameters: 9_610, epochs: 30,
        batchSize: 64, learningRate: 0.1, seed: .max, transport: "tcp", algorithm: "ring",
        compression: "none", trainLoss: 0.25, testAccuracy: 0.975, samplesPerSecond: 1_000, seconds: 2,
        computeSeconds: 1.5, communicationSeconds: 0.5, wireBytes: 123_456, parametersSHA256: "abc")

    @Test func jsonHasTheNamesThatScriptsRelyOn() throws {
        let text = try Self.report.rendered(as: .json)
        let object = try #require(
            try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: any Sendable])
        #expect(
            Set(object.keys) == [
                "ranks", "dataset", "model", "hidden_units", "parameters", "epochs", "batch_size",
                "learning_rate", "seed", "transport", "algorithm", "compression", "train_loss",
                "test_accuracy", "samples_per_second", "seconds", "compute_seconds", "communication_seconds",
                "wire_bytes", "parameters_sha256",
            ])
        #expect(object["ranks"] as? Int == 4)
        #expect(object["test_accuracy"] as? Double == 0.975)
        #expect(object["wire_bytes"] as? Int == 123_456)
        #expect(try JSONDecoder().decode(Report.self, from: Data(text.utf8)) == Self.report)
    }

    @Test func textSaysTheSame() throws {
        #expect(
            try Self.report.rendered(as: .text) == """
                train loss      0.250000
                test accuracy   0.9750
                speed           1000 samples/s
                time            2.00 s: 1.50 s computing, 0.50 s (25 %) waiting for communication
                sent by rank 0  123456 bytes
                parameters      sha256 abc, the same on all 4 ranks
                """)
    }
}

@Suite struct ProgressTests {
    @Test(arguments: 0...120)
    func theLineFitsTheTerminal(width: Int) {
        for fraction in [0, 0.001, 0.5, 0.999, 1] {
            let text = ProgressLine.text(
                epoch: 3, epochs: 10, fraction: fraction, samplesPerSecond: 12_345.6, width: width)
            #expect(text.count <= width)
        }
    }

    @Test func theLineShowsHowFarItIs() {
        #expect(
            ProgressLine.text(epoch: 3, epochs: 10, fraction: 0.5, samplesPerSecond: 12_345.6, width: 80)
                == "epoch  3/10 [####################....................]  50 %  12346 samples/s")
        #expect(
            ProgressLine.text(epoch: 3, epochs: 10, fraction: 1, samplesPerSecond: 1, width: 30)
                == "epoch  3/10 [##########] 100 %")
        #expect(
            ProgressLine.text(epoch: 3, epochs: 10, fraction: 0.25, samplesPerSecond: .infinity, width: 20)
                == "epoch  3/10   25 %")
    }

    @Test func epochLinesHaveTheSameColumns() {
        let line = { (epoch: Int) in
            ProgressReporter.line(
                EpochResult(
                    epoch: epoch, loss: 1.5, testAccuracy: 0.25, samplesPerSecond: 1_000.4, learningRate: 0.1),
                epochs: 10)
        }
        #expect(line(3) == "epoch  3/10  loss 1.5000  test accuracy 0.2500  1000 samples/s")
        #expect(line(10).count == line(3).count)
    }

    /// What a console writes into a file, which is no terminal.
    @Test func outsideATerminalThereAreOnlyLines() throws {
        let folder = try TemporaryFolder()
        let path = try folder.write([], to: "output")
        let file = open(path, O_WRONLY)
        defer { close(file) }
        let console = Console(file: file)
        console.progress { _ in "half" }
        console.line("one")
        console.progress { _ in "half" }
        console.clearProgress()
        console.line("two")
        #expect(try String(contentsOfFile: path, encoding: .utf8) == "one\ntwo\n")
    }

    @Test func onATerminalLinesReplaceTheBar() throws {
        let terminal = try PseudoTerminal(columns: 30)
        let console = Console(file: terminal.device)
        console.line("header")
        console.progress { "width \($0)" }
        console.line("one")
        console.progress { _ in "bar" }
        console.clearProgress()
        let erase = "\r\u{1B}[K"
        #expect(
            terminal.output(untilCount: 40) == "header\r\n\(erase)width 29\(erase)one\r\n\(erase)bar\(erase)")
    }
}

/// A terminal whose screen is the test.
final class PseudoTerminal {
    private let screen: Int32
    let device: Int32

    struct Unavailable: Error {}

    init(columns: UInt16) throws {
        var size = winsize(ws_row: 24, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0)
        var ends: (screen: Int32, device: Int32) = (-1, -1)
        guard openpty(&ends.screen, &ends.device, nil, nil, &size) == 0 else { throw Unavailable() }
        (screen, device) = ends
    }

    deinit {
        close(device)
        close(screen)
    }

    /// What has been written to the terminal, read until there is no more within a second.
    func output(untilCount count: Int) -> String {
        var bytes: [UInt8] = []
        var descriptor = pollfd(fd: screen, events: Int16(POLLIN), revents: 0)
        while bytes.count < count, poll(&descriptor, 1, 1_000) > 0 {
            var block = [UInt8](repeating: 0, count: 4_096)
            let received = read(screen, &block, block.count)
            if received <= 0 { break }
            bytes += block[..<received]
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
