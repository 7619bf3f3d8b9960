import ArgumentParser
import Foundation
import RingCollectives
import RingCommandLine

extension RingTrain {
    /// Does what the options ask for: starts the ranks, or trains as one of them.
    public func run() throws {
        if let ranks, ranks > 1 { return try start(ranks: ranks) }
        // Whoever asks for one rank gets that, whichever job's variables are around.
        guard ranks == nil, try LaunchEnvironment.read(from: ProcessInfo.processInfo.environment) != nil
        else {
            return try train(over: SoloExchange(), transport: "none")
        }
        var configuration = try Configuration.fromEnvironment()
        if transport != "auto", let kind = TransportOptions.Kind(rawValue: transport) {
            configuration.transport.kind = kind
        }
        var communicator: Communicator?
        do {
            let connected = try Communicator.connectBlocking(configuration)
            communicator = connected
            let exchange = CommunicatorExchange(
                connected, algorithm: Algorithm(name: algorithm), compression: try gradientCompression(),
                keepsErrors: errorFeedback)
            try train(over: exchange, transport: connected.transportName)
            connected.close()
        } catch {
            throw RankFailure(rank: configuration.rank, cause: error, communicator: communicator)
        }
    }
}

extension RingTrain {
    /// Starts the ranks, each this same program with the same options, and ends with them.
    private func start(ranks: Int) throws {
        // What is wrong with the files is told once, rather than by every rank.
        let dataset = try dataset.load(directory: dataDir)
        if let resume {
            let settings = try settings()
            _ = try Checkpoint.read(
                resume, for: CheckpointedRun(settings, dataset, ranks: ranks), epochs: settings.epochs)
        }
        let status = try LocalRanks.run(
            ranks, arguments: Array(CommandLine.arguments.dropFirst()),
            environment: ["OPENBLAS_NUM_THREADS": "\(blasThreads)"], program: "ringtrain")
        guard status == 0 else { throw ExitCode(status) }
    }
}

/// What ended one rank of several.
struct RankFailure: Error {
    let rank: Rank
    let cause: any Error
    /// Kept until the process ends, and not closed: to the other ranks this one is then lost, which ends what they
    /// wait for, rather than one that has left in good order.
    let communicator: Communicator?

    /// What the rank has to say about it: nothing if another rank says the same.
    var complaint: String? {
        if let error = cause as? TrainingError, error.isKnownToAllRanks {
            return rank == 0 ? error.message : nil
        }
        return "rank \(rank): \(cause)"
    }
}
