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
            if configuration.rank == 0 { try TuningOutput(path: settings.output).check() }
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
        try TuningOutput(path: settings.output).write(
            TuningDocument(
                machine: "\(machine.host): \(machine.processor), \(machine.cores) cores, \(machine.kernel)",
                date: MachineDescription.now(), transport: transport, processors: processors,
                parameters: ParameterFit.fit(rows, from: .standard, processors: processors),
                measurements: rows))
    }
}

/// What `ringbench tune --merge` does: fits the costs to the measured times of several documents.
struct MergeProgram {
    let files: [String]
    let output: String

    /// Runs, and returns the exit status.
    func run() -> Int32 {
        do {
            let documents = try files.map { try TuningDocument(file: $0) }
            let first = documents[0]
            for (file, document) in zip(files, documents)
            where document.transport != first.transport || document.processors != first.processors {
                throw ValidationError(
                    "\(files[0]) and \(file) are not about the same transport and number of processors")
            }
            let rows = documents.flatMap(\.measurements)
            var merged = first
            merged.measurements = rows
            merged.parameters = ParameterFit.fit(rows, from: first.parameters, processors: first.processors)
            try TuningOutput(path: output).write(merged)
            return ExitStatus.success
        } catch {
            StandardStream.error.writeLine("ringbench: \(RankProgram.message(error))")
            return ExitStatus.usage
        }
    }
}

/// The file that a tuning document goes to.
struct TuningOutput {
    let path: String

    /// Throws if the file cannot be written, rather now than after a minute's work.
    func check() throws {
        _ = try open(keeping: true)
    }

    /// Writes the document, and says on standard output what is in it.
    func write(_ document: TuningDocument) throws {
        try open(keeping: false).write(Array(document.json.utf8))
        StandardStream.output.writeLine(TuningReport(document: document, output: path).text)
    }

    private func open(keeping: Bool) throws -> FileDescriptor {
        do {
            return try FileDescriptor.forWriting(path, keeping: keeping)
        } catch {
            throw ValidationError("--output \(path): it cannot be written: \(error.reason)")
        }
    }
}
