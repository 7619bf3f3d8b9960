import ArgumentParser
import Foundation
import RingCollectives
import RingCore
import RingPlan
import RingSystem

/// What one rank of `ringbench tune` does: joins, measures, and, on rank 0, fits, writes and reports.
struct TuneProgram {
    let settings: TuningSettings

    /// Runs on the calling thread and returns the exit status.
    func run() -> Int32 {
        let configuration: Configuration
        do {
            configuration = try Self.configuration(ProcessInfo.processInfo.environment)
            // Rather now than after a minute's work.
            if configuration.rank == 0 { _ = try open(keeping: true) }
        } catch {
            StandardStream.error.writeLine("ringbench: \(RankProgram.message(error))")
            return ExitStatus.usage
        }
        let log = { (line: String) in
            StandardStream.error.writeLine(RankProgram.line(line, rank: configuration.rank))
        }
        do {
            let communicator = try Communicator.connectBlocking(configuration)
            defer { communicator.close() }
            let subject = CommunicatorSubject(communicator: communicator)
            let shared = try subject.combine(
                [Double(subject.localWorldSize), -Double(Processors.available)], .max)
            let (ranksPerHost, processors) = (Int(shared[0]), Int(-shared[1]))
            let rows = try Tuner(subject: subject, settings: settings, log: log).measure(
                ranksPerHost: ranksPerHost, processors: processors)
            if subject.rank == 0 {
                try report(rows, transport: subject.transportName, processors: processors)
            }
            // A launcher ends the job when one rank ends with an error, so none may before the report is written.
            try subject.barrier()
            return ExitStatus.success
        } catch {
            log(RankProgram.message(error))
            return ExitStatus.forError(error)
        }
    }

    private static func configuration(_ environment: [String: String]) throws -> Configuration {
        guard try LaunchEnvironment.read(from: environment) != nil else {
            throw ValidationError(
                "no launcher has said which rank this process is: pass -n N to start N ranks on this machine, or "
                    + "start it with ringrun, torchrun, mpirun or srun")
        }
        let configuration = try Configuration.fromEnvironment(environment)
        guard configuration.worldSize > 1 else {
            throw ValidationError("there is one rank: nothing to tune")
        }
        return configuration
    }

    private func report(_ rows: [MeasuredTime], transport: String, processors: Int) throws {
        let machine = MachineDescription()
        let document = TuningDocument(
            machine: "\(machine.host): \(machine.processor), \(machine.cores) cores, \(machine.kernel)",
            date: MachineDescription.now(), transport: transport, processors: processors,
            parameters: ParameterFit.fit(rows, from: .standard, processors: processors), measurements: rows)
        try open().write(Array(document.json.utf8))
        StandardStream.output.writeLine(TuningReport(document: document, output: settings.output).text)
    }

    /// Opens the file to write.
    private func open(keeping: Bool = false) throws -> FileDescriptor {
        do {
            return try FileDescriptor.forWriting(settings.output, keeping: keeping)
        } catch let error as SystemError {
            throw ValidationError("--output \(settings.output): it cannot be written: \(error.reason)")
        }
    }
}
