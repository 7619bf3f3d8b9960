import Logging
import RingCore
import RingKernels
import RingPlan
import RingSystem
import RingTransport

extension Communicator {
    /// What a communicator hands on to those that are made of it.
    struct Settings: Sendable {
        /// How long an operation may take if the call does not say.
        var timeout: Duration
        var options: EngineOptions
        /// What chooses algorithms, the same on all ranks.
        var selector: Selector
        /// How many processors a host is taken to have for its ranks, the same on all ranks.
        var processors: Int
        var logger: Logger
    }

    /// Makes the communicator of ranks whose control links are there: its watchdog, its engine, their threads.
    static func assemble(
        job: Job, transport: CommunicatorTransport, links: sending [any Link], settings: Settings
    ) throws -> Communicator {
        let roster = transport.roster
        let (rank, worldSize) = (roster.rank, roster.members.count)
        let wakeUp = try WakeUp()
        let reaction = FailureReaction(transport: transport)
        let watchdog = try Watchdog(
            roster: roster, links: links,
            identifier: LinkIdentifier(
                communicator: roster.communicator, channel: LinkIdentifier.controlChannel)
        ) { reaction.react(to: $0) }
        let context = RunnerContext(rank: rank, transport: transport, watchdog: watchdog, wakeUp: wakeUp)
        let engine: Engine
        do {
            engine = try Engine(
                rank: rank, worldSize: worldSize,
                identifier: LinkIdentifier(communicator: roster.communicator, channel: 0),
                options: settings.options, context: context, logger: settings.logger)
        } catch {
            watchdog.leave()
            throw error
        }
        reaction.attach(context: context, engine: engine)
        let communicator = Communicator(
            roster: roster, settings: settings, engine: engine,
            parts: Parts(job: job, transport: transport, watchdog: watchdog, reaction: reaction))
        settings.logger.info(
            """
            \(communicator): \(communicator.localWorldSize) ranks on this host, \(settings.options.channels) \
            channels, spinning \(settings.options.spinNanoseconds) ns, \(KernelLevel.selected.name) kernels
            """)
        return communicator
    }

    /// Makes a communicator of this rank alone, which needs no links and nobody to watch.
    static func single(_ roster: Roster, settings: Settings) throws -> Communicator {
        let context = RunnerContext(rank: 0, transport: nil, watchdog: nil, wakeUp: try WakeUp())
        let engine = try Engine(
            rank: 0, worldSize: 1, identifier: LinkIdentifier(communicator: roster.communicator, channel: 0),
            options: settings.options, context: context, logger: settings.logger)
        return Communicator(roster: roster, settings: settings, engine: engine, parts: Parts())
    }
}
