import Foundation
import Testing

/// A finished command: what it wrote and how it ended.
struct Finished {
    var output: String
    var error: String
    /// The exit status, or 128 and the signal.
    var status: Int32

    var lines: [String] { output.split(separator: "\n").map(String.init) }
}

/// A `ringrun` that runs.
final class Running {
    let process = Process()
    private let output = Pipe()
    private let error = Pipe()
    private var outputText = Data()

    /// Starts the built `ringrun`, which lies beside the test bundle.
    init(_ arguments: [String], environment: [String: String] = [:], input: FileHandle = .nullDevice) throws {
        var folder = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
            .deletingLastPathComponent()
        if !FileManager.default.isExecutableFile(atPath: folder.appendingPathComponent("ringrun").path) {
            let bundle = try #require(CommandLine.arguments.first { $0.contains(".xctest") })
            folder = URL(fileURLWithPath: bundle).deletingLastPathComponent()
        }
        process.executableURL = folder.appendingPathComponent("ringrun")
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        process.standardInput = input
        process.standardOutput = output
        process.standardError = error
        try process.run()
    }

    var pid: pid_t { process.processIdentifier }

    func signal(_ signal: Int32) { kill(pid, signal) }

    /// Reads standard output until `count` lines begin with or hold `text`.
    func waitForLines(containing text: String, count: Int) throws {
        func found() -> Int {
            String(decoding: outputText, as: UTF8.self).split(separator: "\n").filter { $0.contains(text) }
                .count
        }
        while found() < count {
            let data = output.fileHandleForReading.availableData
            try #require(!data.isEmpty, "the output ended before \(count) lines with \(text)")
            outputText += data
        }
    }

    /// Waits for its end and the end of its output.
    func finish() -> Finished {
        let errorHandle = error.fileHandleForReading
        let errorReader = Reader { errorHandle.readDataToEndOfFile() }
        outputText += output.fileHandleForReading.readDataToEndOfFile()
        let errorText = errorReader.result()
        process.waitUntilExit()
        let isSignal = process.terminationReason == .uncaughtSignal
        return Finished(
            output: String(decoding: outputText, as: UTF8.self),
            error: String(decoding: errorText, as: UTF8.self),
            status: process.terminationStatus + (isSignal ? 128 : 0))
    }

    /// Reads on a thread of its own, so that neither pipe fills while the other is read.
    ///
    /// `@unchecked Sendable`: `data` is written before the semaphore is signalled and read after.
    private final class Reader: @unchecked Sendable {
        private var data = Data()
        private let done = DispatchSemaphore(value: 0)

        init(_ read: @escaping @Sendable () -> Data) {
            Thread.detachNewThread {
                self.data = read()
                self.done.signal()
            }
        }

        func result() -> Data {
            done.wait()
            return data
        }
    }
}

/// Runs `ringrun` to its end.
func ringrun(_ arguments: String..., environment: [String: String] = [:]) throws -> Finished {
    try Running(arguments, environment: environment).finish()
}

/// Whether a process exists and is no zombie.
func isAlive(_ pid: pid_t) -> Bool {
    guard let status = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8) else { return false }
    return status.split(separator: ")").last?.split(separator: " ").first != "Z"
}

/// Waits until a condition holds; whether it came to hold in ten seconds.
func eventually(_ condition: () -> Bool) -> Bool {
    for _ in 0..<1000 {
        if condition() { return true }
        usleep(10_000)
    }
    return condition()
}

/// The numbers that lines of the form `[RANK] pid NUMBER` tell.
func pids(_ output: String) -> [pid_t] {
    output.split(separator: "\n").compactMap { line in
        line.range(of: "pid ").flatMap { pid_t(line[$0.upperBound...]) }
    }
}
