import RingCore
import RingSystem
import Testing

@testable import RingBootstrap

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

@Suite(.timeLimit(.minutes(2)))
struct RendezvousTests {
    private static func identity(_ rank: Rank) -> String { "host h\(rank), process \(100 + rank)" }

    private static func run(
        _ store: any Store, _ rank: Rank, of worldSize: Int, identity: String? = nil, prefix: String = "0",
        deadline: Deadline = ample, version: UInt16 = Rendezvous.protocolVersion
    ) throws -> [Rendezvous.Member] {
        try Rendezvous.run(
            store: store, rank: rank, worldSize: worldSize, card: Array("card \(rank)".utf8),
            identity: identity ?? Self.identity(rank), prefix: prefix, deadline: deadline, version: version)
    }

    private static func expected(_ worldSize: Int) -> [Rendezvous.Member] {
        (0..<worldSize).map { .init(identity: identity($0), card: Array("card \($0)".utf8)) }
    }

    @Test(arguments: StoreKind.allCases, [1, 2, 3, 9])
    func allRanksGetAllCards(kind: StoreKind, worldSize: Int) throws {
        let fixture = try StoreFixture(kind)
        for prefix in ["first", "second"] {
            let results = try onThreads((0..<worldSize).reversed()) { rank in
                let store = try fixture.open()
                defer { if kind != .memory { store.close() } }
                return try Self.run(store, rank, of: worldSize, prefix: prefix)
            }
            for result in results { #expect(try result.get() == Self.expected(worldSize)) }
        }
    }

    @Test(arguments: StoreKind.allCases)
    func severalRunOverOneStoreAtATime(kind: StoreKind) throws {
        let fixture = try StoreFixture(kind)
        let results = try onThreads(0..<3) { rank in
            let store = try fixture.open()
            // Ranks begin with different ones, so that each store waits in several at once.
            return try onThreads((0..<4).map { ($0 + rank) % 4 }) { color in
                try Self.run(store, rank, of: 3, prefix: "split/\(color)")
            }
        }
        for result in results {
            for inner in try result.get() { #expect(try inner.get() == Self.expected(3)) }
        }
    }

    @Test(arguments: StoreKind.allCases)
    func missingRanksAreNamed(kind: StoreKind) throws {
        let fixture = try StoreFixture(kind)
        let results = try onThreads([0, 1, 3, 4, 6, 7]) { rank in
            try Self.run(fixture.open(), rank, of: 8, deadline: .after(.milliseconds(500)))
        }
        for result in results {
            let error = try #require(result.error)
            #expect(error.code == .rendezvousFailed)
            #expect(error.message.hasPrefix("ranks 2 and 5 of 8 did not arrive within 500 ms"))
            #expect(error.peer == 2)
        }
        // One that comes later is told.
        let late = try errorOf { try Self.run(fixture.open(), 5, of: 8) }
        #expect(late.code == .rendezvousFailed)
        #expect(
            late.message.hasPrefix("rank 5 (host h5, process 105) came too late: ranks 2 and 5 of 8 did not"))
    }

    @Test func absenceIsShortened() {
        func text(_ ranks: [Rank], _ size: Int) -> String {
            RendezvousAttempt.absence(of: ranks, among: size, within: .seconds(60) - .microseconds(100))
        }
        #expect(text([2], 8) == "rank 2 of 8 did not arrive within 60 s")
        #expect(text([2, 5], 8) == "ranks 2 and 5 of 8 did not arrive within 60 s")
        #expect(text([1, 2, 5], 8) == "ranks 1, 2 and 5 of 8 did not arrive within 60 s")
        #expect(
            text(Array(1..<64), 64) == "ranks 1, 2, 3, 4, 5, 6 and 57 more of 64 did not arrive within 60 s")
    }

    @Test(arguments: StoreKind.allCases)
    func aDoubledRankFailsEverywhere(kind: StoreKind) throws {
        let fixture = try StoreFixture(kind)
        let first = try fixture.open()
        let results = try onThreads(0..<3) { number in
            switch number {
            case 0: return try Self.run(fixture.open(), 0, of: 3)
            case 1: return try Self.run(first, 1, of: 3, identity: "host a, process 7")
            default:
                // Only once the other has taken the rank, so that it is known who is second.
                let second = try fixture.open()
                _ = try second.values(of: ["0/card/1"], interruptedBy: nil, by: ample)
                return try Self.run(second, 1, of: 3, identity: "host b, process 9")
            }
        }
        for result in results {
            let error = try #require(result.error)
            #expect(error.code == .rendezvousFailed)
            #expect(
                error.message.hasPrefix(
                    "rank 1 is claimed by two processes: host a, process 7 and host b, process 9"))
            #expect(error.peer == 1)
        }
    }

    @Test(arguments: StoreKind.allCases)
    func differentWorldSizesAreBothNamed(kind: StoreKind) throws {
        let fixture = try StoreFixture(kind)
        let results = try onThreads(0..<2) { rank in
            let store = try fixture.open()
            if rank == 1 { _ = try store.values(of: ["0/world"], interruptedBy: nil, by: ample) }
            return try Self.run(store, rank, of: rank == 0 ? 4 : 3)
        }
        for result in results {
            let error = try #require(result.error)
            #expect(error.code == .rendezvousFailed)
            #expect(
                error.message.hasPrefix(
                    "rank 1 (host h1, process 101) was started with world size 3 and "
                        + "rank 0 (host h0, process 100) with 4"))
        }
    }

    @Test(arguments: StoreKind.allCases)
    func differentVersionsAreBothNamed(kind: StoreKind) throws {
        let fixture = try StoreFixture(kind)
        let results = try onThreads(0..<2) { rank in
            let store = try fixture.open()
            if rank == 1 { _ = try store.values(of: ["0/world"], interruptedBy: nil, by: ample) }
            return try Self.run(store, rank, of: 2, version: rank == 0 ? 1 : 7)
        }
        for result in results {
            let error = try #require(result.error)
            #expect(error.code == .rendezvousFailed)
            #expect(
                error.message.contains(
                    "speaks protocol version 7 and rank 0 (host h0, process 100) version 1"))
        }
    }

    @Test(arguments: [2, 3, -1, Int.max, Int.min])
    func aRankOutOfRangeFailsEverywhere(bad: Rank) throws {
        let fixture = try StoreFixture(.tcp)
        let results = try onThreads([0, bad]) { rank in
            try Self.run(fixture.open(), rank, of: 2, identity: "host a, process 7")
        }
        for result in results {
            let error = try #require(result.error)
            #expect(error.code == .rendezvousFailed)
            #expect(
                error.message
                    == "rank \(bad) (host a, process 7) is out of range: the world size is 2, so ranks are "
                    + "0 to 1"
            )
        }
    }

    @Test(arguments: [0, -3, 1 << 20])
    func worldSizesOutOfRange(size: Int) throws {
        let error = try errorOf { try Self.run(InMemoryStore(), 0, of: size) }
        #expect(error.code == .rendezvousFailed)
        #expect(error.message.contains("\(size)"))
    }

    @Test func aRankThatLeavesIsNamed() throws {
        let fixture = try StoreFixture(.tcp)
        let results = try onThreads(0..<4) { rank in
            let store = try fixture.open()
            if rank == 2 {
                // As when a process dies: its connections are closed while it waits.
                let leaving = try fixture.open()
                _ = try SystemThread(name: "test") {
                    _ = try? leaving.values(
                        of: [0, 1, 2].map { "0/card/\($0)" }, interruptedBy: nil, by: ample)
                    store.close()
                }
            }
            return try Self.run(store, rank, of: 5)
        }
        for rank in [0, 1, 3] {
            let error = try #require(results[rank].error)
            #expect(error.code == .rendezvousFailed)
            #expect(error.message == "rank 2 (host h2, process 102) left during start-up")
            #expect(error.peer == 2)
        }
        #expect(results[2].error?.code == .closed)
    }

    @Test func leavingAfterwardsIsNotLeaving() throws {
        let fixture = try StoreFixture(.tcp)
        let results = try onThreads(0..<3) { rank in
            let store = try fixture.open()
            let first = try Self.run(store, rank, of: 3)
            if rank == 2 {
                store.close()
                return first
            }
            // The two that stay meet again; nothing of the first rendezvous stands in their way.
            return try Self.run(store, rank, of: 2, prefix: "1")
        }
        #expect(try results[2].get() == Self.expected(3))
        for rank in 0..<2 { #expect(try results[rank].get() == Self.expected(2)) }
    }

    @Test func rankZeroLeavingIsNamed() throws {
        let server = try TCPStoreServer(
            host: "127.0.0.1", port: 0, secret: nil, identity: "host h0, process 100")
        let results = try onThreads(0..<3) { rank in
            let store = try TCPStore(host: "127.0.0.1", port: server.port, secret: nil, by: ample)
            guard rank == 0 else { return try Self.run(store, rank, of: 3) }
            _ = try store.values(of: ["0/card/1", "0/card/2"], interruptedBy: nil, by: ample)
            server.close()
            return []
        }
        for result in results.dropFirst() {
            let error = try #require(result.error)
            #expect(error.code == .rendezvousFailed)
            #expect(error.message.hasPrefix("rank 0 (host h0, process 100) left during start-up"))
            #expect(error.peer == 0)
        }
    }

    @Test func rankZeroStoppedIsNamedByTheDeadline() throws {
        let stopped = try FalseServer(stoppedAs: "host h0, process 100")
        let store = try TCPStore(host: "127.0.0.1", port: stopped.port, secret: nil, by: ample)
        let error = try errorOf { try Self.run(store, 1, of: 2, deadline: .after(.milliseconds(300))) }
        #expect(error.code == .rendezvousFailed)
        #expect(
            error.message
                == "rank 0 (host h0, process 100) is silent: rank 0's store at 127.0.0.1:\(stopped.port) "
                + "did not answer within 300 ms")
        #expect(error.peer == 0)
    }

    @Test func theCauseReachesAllEvenWhenRankZeroFindsIt() throws {
        let server = try TCPStoreServer(
            host: "127.0.0.1", port: 0, secret: nil, identity: "host h0, process 100")
        let results = try onThreads(0..<3) { rank in
            let store = try TCPStore(host: "127.0.0.1", port: server.port, secret: nil, by: ample)
            defer { if rank == 0 { server.close() } }
            return try Self.run(store, rank, of: 4, deadline: rank == 0 ? .after(.milliseconds(400)) : ample)
        }
        for result in results {
            #expect(result.error?.message.hasPrefix("rank 3 of 4 did not arrive within 400 ms") == true)
        }
    }

    @Test func aFileStoreIsClearedBehindASuccess() throws {
        let folder = TemporaryFolder()
        for _ in 0..<3 {
            let results = try onThreads(0..<4) { rank in
                try Self.run(FileStore(directory: folder.path, job: "j"), rank, of: 4)
            }
            for result in results { #expect(try result.get() == Self.expected(4)) }
        }
    }

    @Test func oversizedCardsAndPrefixesAreRefused() throws {
        let card = [UInt8](repeating: 0, count: Rendezvous.cardBytes + 1)
        let error = try errorOf {
            try Rendezvous.run(
                store: InMemoryStore(), rank: 0, worldSize: 1, card: card, identity: "", prefix: "p",
                deadline: ample)
        }
        #expect(error.code == .invalidArgument)
        let long = String(repeating: "p", count: 121)
        #expect(
            try errorOf { try Self.run(InMemoryStore(), 0, of: 1, prefix: long) }.code == .invalidArgument)
    }

    @Test func aMalformedStoreIsAnError() throws {
        for (key, value) in [("0/world", [1, 2]), ("0/failure", [9]), ("0/card/1", [1, 2, 3])]
            as [(String, [UInt8])]
        {
            let store = InMemoryStore()
            try store.set(key, to: value, by: ample)
            let error = try errorOf { try Self.run(store, 0, of: 2, deadline: .after(.milliseconds(200))) }
            #expect(error.code == .rendezvousFailed)
            #expect(error.message.contains("malformed"))
        }
    }

    @Test func textOfOthersStaysOnOneLine() throws {
        let error = try errorOf {
            try Self.run(
                InMemoryStore(), 5, of: 2,
                identity: "host\n\u{1b}[31mred\r" + String(repeating: "x", count: 5000))
        }
        #expect(!error.message.unicodeScalars.contains { $0.properties.generalCategory == .control })
        #expect(error.message.count < 600)
    }
}
