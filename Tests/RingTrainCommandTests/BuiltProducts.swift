import Foundation
import Testing

/// The programs that were built together with the tests.
enum BuiltProducts {
    /// The folder in which this test bundle and the programs lie.
    static var folder: URL {
        let program = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        return URL(fileURLWithPath: program).deletingLastPathComponent()
    }
}

/// A run of the built `ringtrain`.
struct ProgramRun {
    let status: Int32
    let output: String
    let complaints: String

    /// The report that a run with `--format json` printed.
    func report() throws -> [String: Any] {
        let object = try JSONSerialization.jsonObject(with: Data(output.utf8))
        return try #require(object as? [String: Any])
    }

    /// Runs the program to its end, as one rank of a job if `job` says which.
    init(_ arguments: [String], job: [String: String] = [:]) throws {
        self = try Self.start(arguments, job: job)()
    }

    /// Starts the program; the result waits for its end.
    static func start(_ arguments: [String], job: [String: String] = [:]) throws -> () throws -> ProgramRun {
        let folder = try TemporaryFolder()
        let (output, complaints) = (
            try folder.write([], to: "output"), try folder.write([], to: "complaints")
        )
        let process = Process()
        process.executableURL = BuiltProducts.folder.appendingPathComponent("ringtrain")
        process.arguments = arguments
        // Nothing of a launcher that runs these tests.
        process.environment = ["PATH": "/usr/bin:/bin"].merging(job) { $1 }
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle(forWritingAtPath: output)
        process.standardError = FileHandle(forWritingAtPath: complaints)
        try process.run()
        return {
            let deadline = Date(timeIntervalSinceNow: longestRun)
            while process.isRunning && Date() < deadline { usleep(5_000) }
            if process.isRunning {
                Issue.record("ringtrain \(arguments) had not ended after \(longestRun) s")
                kill(process.processIdentifier, SIGKILL)
            }
            process.waitUntilExit()
            return ProgramRun(
                status: process.terminationStatus,
                output: try String(contentsOfFile: folder.path + "/output", encoding: .utf8),
                complaints: try String(contentsOfFile: folder.path + "/complaints", encoding: .utf8))
        }
    }

    /// In seconds. Long enough for a machine that has other things to do.
    private static let longestRun = 90.0

    private init(status: Int32, output: String, complaints: String) {
        (self.status, self.output, self.complaints) = (status, output, complaints)
    }

    /// Runs the program as every rank of a job whose ranks meet in a folder; returns the runs by rank.
    static func job(ranks: Int, _ arguments: (_ rank: Int) -> [String]) throws -> [ProgramRun] {
        let meeting = try TemporaryFolder()
        let runs = try (0..<ranks).map { rank in
            try start(
                arguments(rank),
                job: [
                    "RANK": "\(rank)", "WORLD_SIZE": "\(ranks)", "RING_STORE": "file://\(meeting.path)",
                    "RING_JOB_ID": "ringtrain-test",
                ])
        }
        return try runs.map { try $0() }
    }
}
