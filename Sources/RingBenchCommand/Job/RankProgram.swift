import ArgumentParser
import Foundation
import RingCollectives
import RingCore
import RingSystem

/// What one rank of a job does: joins it, measures, reports, leaves.
struct RankProgram {
    let settings: BenchmarkSettings

    /// Runs on the calling thread, which does the communicating itself, and returns the exit status.
    func run() -> Int32 {
        StandardStream.reportClosedPipes()
        let configuration: Configuration
        do {
            configuration = try Self.configuration(settings, environment: ProcessInfo.processInfo.environment)
        } catch {
            StandardStream.error.writeLine("ringbench: \(Self.message(error))")
            return ExitStatus.usage
        }
        let log = { (line: String) in
            StandardStream.error.writeLine(Self.line(line, rank: configuration.rank))
        }
        do {
            let communicator = try Communicator.connectBlocking(configuration)
            defer { communicator.close() }
            let session = BenchmarkSession(
                subject: CommunicatorSubject(communicator: communicator), settings: settings,
                output: StandardStream.output.write, log: log)
            let wrong = try session.run().contains { $0.wrong ?? 0 > 0 }
            // Rank 0 speaks for the job, so that its launcher need not complain about every rank.
            return wrong && configuration.rank == 0 ? ExitStatus.failure : ExitStatus.success
        } catch {
            log(Self.message(error))
            return ExitStatus.forError(error)
        }
    }

    /// How to join the job that the environment tells of, as the command line wants it.
    static func configuration(
        _ settings: BenchmarkSettings, environment: [String: String]
    ) throws -> Configuration {
        guard try LaunchEnvironment.read(from: environment) != nil else {
            throw ValidationError(
                "no launcher has said which rank this process is: pass -n N to start N ranks on this machine, or "
                    + "start it with ringrun, torchrun, mpirun or srun")
        }
        var configuration = try Configuration.fromEnvironment(environment)
        // Without the option it is as the environment has it.
        switch settings.transport {
        case .auto: break
        case .tcp: configuration.transport.kind = .tcp
        case .rdma: configuration.transport.kind = .rdma
        }
        if let timeout = settings.timeout { configuration.timeout = timeout }
        try settings.validate(worldSize: configuration.worldSize)
        return configuration
    }

    /// A line about a rank, which says so once.
    static func line(_ text: String, rank: Rank) -> String {
        let prefix = "rank \(rank): "
        return "ringbench: " + (text.hasPrefix(prefix) ? "" : prefix) + text
    }

    /// An error in one line.
    static func message(_ error: any Error) -> String {
        switch error {
        case let error as CollectiveError: error.message
        case let error as ValidationError: error.message
        case let error as SystemError where error.call == "write": "cannot write the results: \(error.reason)"
        default: "\(error)"
        }
    }
}
