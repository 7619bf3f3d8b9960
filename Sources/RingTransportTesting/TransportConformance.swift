import RingCore
package import RingTransport

/// The suite that every transport must pass.
///
/// It knows nothing of any testing library: ``run(_:)`` throws, and whoever calls it reports. Each case makes fresh
/// transports, uses them from threads of its own and shuts them down; nothing in it waits longer than ``limit``.
///
/// What is asked of a transport beyond its contract: a link holds 512 bytes in each direction that nobody has taken
/// yet, and less than 256 MiB.
package struct TransportConformance: Sendable {
    /// Makes the transports of that many ranks, which have met already.
    package typealias Factory = @Sendable (_ worldSize: Int) throws -> [any Transport]

    let makeTransports: Factory
    /// The payload of the largest frame that is sent, in bytes.
    let largestFrame: Int
    /// The longest that a case may take.
    let limit: Duration

    /// A suite for the transports that `makeTransports` makes.
    package init(
        largestFrame: Int = 3 << 20, limit: Duration = .seconds(30), makeTransports: @escaping Factory
    ) {
        self.makeTransports = makeTransports
        self.largestFrame = largestFrame
        self.limit = limit
    }

    /// One thing that a transport must do.
    package enum Case: String, CaseIterable, Sendable, CustomStringConvertible {
        case hasNameAndCard = "has a name and a small card"
        case refusesNonsenseCards = "refuses cards that make no sense"
        case carriesFramesOfManySizes = "carries frames of many sizes both ways at once"
        case carriesEveryHeaderField = "carries every field of a header"
        case takesFramesBitByBit = "accepts and delivers a frame bit by bit"
        case takesWholeFrames = "takes small frames whole"
        case tellsWholeFramesFromOthers = "tells the expected frame from others, and from parts"
        case lendsAgain = "lends again what was not used up"
        case lendsPartsOfElements = "lends whole elements however they arrive"
        case mixesLendingAndTaking = "mixes lending and taking within a frame"
        case sendsFromRegisteredMemory = "sends from registered memory and gives it back"
        case wakesForSettledMemory = "wakes for memory that is given back"
        case neverBlocks = "never blocks on a link"
        case sleepsWhileNothingComes = "has nothing to wake for while nothing comes"
        case wakesForData = "wakes for data"
        case wakesForRoom = "wakes for room"
        case wakesForEnd = "wakes for the peer's end"
        case losesNoWakeUp = "loses no wake-up in a ping-pong"
        case losesNoWakeUpInStreams = "loses no wake-up in streams both ways"
        case deliversBeforeEnd = "delivers what was sent before the end, then fails naming the peer"
        case failsWithinFrame = "fails within a frame that ends early"
        case closesForOwnWaiter = "wakes its own waiter when closed"
        case keepsChannelsApart = "keeps links of different identifiers apart"
        case connectsSeveralRanks = "connects all pairs of several ranks"
        case connectsManyAtOnce = "makes many links at once"
        case timesOutNamingPeer = "times out naming the peer that did not ask"
        case recoversFromTimeout = "makes a link that timed out once before"
        case abortsWaiters = "wakes waiters with the error of an abort"
        case abortsOneCommunicator = "ends the waits of one communicator and of no other"
        case retiresOneCommunicator = "retires one communicator, whose links end, and no other"
        case renumbersPeers = "names a peer by the number it was given"
        case shutsDownTwice = "shuts down twice, and links live on"
        case namesPeerThatShutDown = "names a peer that has shut down"

        package var description: String { rawValue }
    }

    /// Runs one case. Throws a ``ConformanceFailure``, or the transport's own error where it should not have failed.
    package func run(_ testCase: Case) throws {
        switch testCase {
        case .hasNameAndCard: try hasNameAndCard()
        case .refusesNonsenseCards: try refusesNonsenseCards()
        case .carriesFramesOfManySizes: try carriesFramesOfManySizes()
        case .carriesEveryHeaderField: try carriesEveryHeaderField()
        case .takesFramesBitByBit: try takesFramesBitByBit()
        case .takesWholeFrames: try takesWholeFrames()
        case .tellsWholeFramesFromOthers: try tellsWholeFramesFromOthers()
        case .lendsAgain: try lendsAgain()
        case .lendsPartsOfElements: try lendsPartsOfElements()
        case .mixesLendingAndTaking: try mixesLendingAndTaking()
        case .sendsFromRegisteredMemory: try sendsFromRegisteredMemory()
        case .wakesForSettledMemory: try wakesForSettledMemory()
        case .neverBlocks: try neverBlocks()
        case .sleepsWhileNothingComes: try sleepsWhileNothingComes()
        case .wakesForData: try wakesForData()
        case .wakesForRoom: try wakesForRoom()
        case .wakesForEnd: try wakesForEnd()
        case .losesNoWakeUp: try losesNoWakeUp()
        case .losesNoWakeUpInStreams: try losesNoWakeUpInStreams()
        case .deliversBeforeEnd: try deliversBeforeEnd()
        case .failsWithinFrame: try failsWithinFrame()
        case .closesForOwnWaiter: try closesForOwnWaiter()
        case .keepsChannelsApart: try keepsChannelsApart()
        case .connectsSeveralRanks: try connectsSeveralRanks()
        case .connectsManyAtOnce: try connectsManyAtOnce()
        case .timesOutNamingPeer: try timesOutNamingPeer()
        case .recoversFromTimeout: try recoversFromTimeout()
        case .abortsWaiters: try abortsWaiters()
        case .abortsOneCommunicator: try abortsOneCommunicator()
        case .retiresOneCommunicator: try retiresOneCommunicator()
        case .renumbersPeers: try renumbersPeers()
        case .shutsDownTwice: try shutsDownTwice()
        case .namesPeerThatShutDown: try namesPeerThatShutDown()
        }
    }

    /// Makes transports for one case and shuts them down after it.
    func withTransports(_ worldSize: Int, _ body: (Ranks) throws -> Void) throws {
        let ranks = Ranks(transports: try makeTransports(worldSize), deadline: .after(limit))
        defer { for transport in ranks.transports { transport.shutdown() } }
        try expect(
            ranks.transports.count == worldSize, "asked for \(worldSize) transports, made another number")
        try body(ranks)
    }

    /// Makes two transports and one link between them.
    func withLink(_ body: (LinkPair, Ranks) throws -> Void) throws {
        try withTransports(2) { ranks in
            let pair = try ranks.pair()
            defer { pair.close() }
            try body(pair, ranks)
        }
    }
}
