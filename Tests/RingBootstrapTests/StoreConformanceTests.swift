import RingCore
import Testing

@testable import RingBootstrap

/// What every store must do; each implementation runs all of it.
@Suite(.timeLimit(.minutes(2)))
struct StoreConformanceTests {
    @Test(arguments: StoreKind.allCases)
    func setReplacesAndAnotherUserReads(kind: StoreKind) throws {
        let fixture = try StoreFixture(kind)
        let (a, b) = (try fixture.open(), try fixture.open())
        try a.set("key", to: [1, 2, 3], by: ample)
        #expect(try b.values(of: ["key"], interruptedBy: nil, by: ample) == [[1, 2, 3]])
        try b.set("key", to: [], by: ample)
        #expect(try a.values(of: ["key"], interruptedBy: nil, by: ample) == [[]])
    }

    @Test(arguments: StoreKind.allCases)
    func setIfAbsentKeepsTheFirstValue(kind: StoreKind) throws {
        let fixture = try StoreFixture(kind)
        let (a, b) = (try fixture.open(), try fixture.open())
        #expect(try a.setIfAbsent("key", to: [1], by: ample) == nil)
        #expect(try b.setIfAbsent("key", to: [2], by: ample) == [1])
        #expect(try a.setIfAbsent("key", to: [1], by: ample) == [1])
        #expect(try b.remove("key", by: ample))
        #expect(try b.setIfAbsent("key", to: [2], by: ample) == nil)
    }

    @Test(arguments: StoreKind.allCases)
    func onlyOneOfManyWinsSetIfAbsent(kind: StoreKind) throws {
        let fixture = try StoreFixture(kind)
        for round in 0..<5 {
            let seen = try onThreads(0..<8) { rank in
                try fixture.open().setIfAbsent("race/\(round)", to: [UInt8(rank)], by: ample)
            }.map { try $0.get() }
            let winners = seen.indices.filter { seen[$0] == nil }
            try #require(winners.count == 1)
            #expect(seen.compactMap(\.self) == Array(repeating: [UInt8(winners[0])], count: 7))
        }
    }

    @Test(arguments: StoreKind.allCases)
    func valuesWaitsForTheLastKey(kind: StoreKind) throws {
        let fixture = try StoreFixture(kind)
        let results = try onThreads(0..<5) { rank in
            let store = try fixture.open()
            try store.set("card/\(rank)", to: [UInt8(rank)], by: ample)
            return try store.values(of: (0..<5).map { "card/\($0)" }, interruptedBy: nil, by: ample)
        }
        for result in results { #expect(try result.get() == [[0], [1], [2], [3], [4]]) }
    }

    @Test(arguments: StoreKind.allCases)
    func valuesNamesTheMissingKeys(kind: StoreKind) throws {
        let fixture = try StoreFixture(kind)
        let store = try fixture.open()
        try store.set("b", to: [1], by: ample)
        let error = try errorOf {
            try store.values(of: ["a", "b", "c", "a"], interruptedBy: "d", by: .after(.milliseconds(60)))
        }
        #expect(error.code == .timedOut)
        #expect(error.cause as? StoreWaitFailure == .missing(["a", "c", "a"]))
        // The store can still be used.
        try store.set("a", to: [2], by: ample)
        #expect(try store.values(of: ["a"], interruptedBy: nil, by: ample) == [[2]])
    }

    @Test(arguments: StoreKind.allCases)
    func aKeyInterruptsWaiting(kind: StoreKind) throws {
        let fixture = try StoreFixture(kind)
        let results = try onThreads(0..<3) { rank -> [[UInt8]] in
            let store = try fixture.open()
            if rank == 2 {
                try store.set("stop", to: [9], by: ample)
                return [[]]
            }
            return try store.values(of: ["never"], interruptedBy: "stop", by: ample)
        }
        for result in results.prefix(2) {
            #expect(result.error?.code == .cancelled)
            #expect(result.error?.cause as? StoreWaitFailure == .interrupted([9]))
        }
        // It goes before values that exist.
        let store = try fixture.open()
        let error = try errorOf { try store.values(of: ["stop"], interruptedBy: "stop", by: ample) }
        #expect(error.cause as? StoreWaitFailure == .interrupted([9]))
    }

    @Test(arguments: StoreKind.allCases)
    func noKeysAreThereAtOnce(kind: StoreKind) throws {
        let fixture = try StoreFixture(kind)
        #expect(try fixture.open().values(of: [], interruptedBy: nil, by: ample) == [])
    }

    @Test(arguments: StoreKind.allCases)
    func removing(kind: StoreKind) throws {
        let fixture = try StoreFixture(kind)
        let store = try fixture.open()
        for key in ["p/1", "p/2", "q/1", "p"] { try store.set(key, to: [1], by: ample) }
        #expect(try !store.remove("p/3", by: ample))
        #expect(try store.removeAll(withPrefix: "p/", by: ample) == 2)
        #expect(try store.removeAll(withPrefix: "p/", by: ample) == 0)
        #expect(try store.values(of: ["p", "q/1"], interruptedBy: nil, by: ample) == [[1], [1]])
        #expect(try store.remove("p", by: ample))
        #expect(try !store.remove("p", by: ample))
    }

    @Test(arguments: StoreKind.allCases)
    func unusualKeysAreDistinct(kind: StoreKind) throws {
        let fixture = try StoreFixture(kind)
        let store = try fixture.open()
        let keys = [
            ".", "..", "../up", "/", "a/b", "a%2fb", "a b", "\n", "é", "日本", "+x", "=x", ".new-1",
            String(repeating: "/", count: StoreLimits.keyBytes),
            String(repeating: "/", count: StoreLimits.keyBytes - 1),
            String(repeating: "k", count: StoreLimits.keyBytes),
        ]
        for (index, key) in keys.enumerated() { try store.set(key, to: [UInt8(index)], by: ample) }
        let values = try store.values(of: keys, interruptedBy: nil, by: ample)
        #expect(values == keys.indices.map { [UInt8($0)] })
        #expect(try store.removeAll(withPrefix: "/", by: ample) == 3)
        #expect(try store.removeAll(withPrefix: "", by: ample) == keys.count - 3)
    }

    @Test(arguments: StoreKind.allCases)
    func limits(kind: StoreKind) throws {
        let fixture = try StoreFixture(kind)
        let store = try fixture.open()
        let largest = [UInt8](repeating: 7, count: StoreLimits.valueBytes)
        try store.set("large", to: largest, by: ample)
        #expect(try store.values(of: ["large"], interruptedBy: nil, by: ample) == [largest])
        let tooLong = String(repeating: "k", count: StoreLimits.keyBytes + 1)
        #expect(try errorOf { try store.set("large", to: largest + [1], by: ample) }.code == .invalidArgument)
        #expect(try errorOf { try store.set("", to: [], by: ample) }.code == .invalidArgument)
        #expect(try errorOf { try store.setIfAbsent(tooLong, to: [], by: ample) }.code == .invalidArgument)
        #expect(try errorOf { try store.remove(tooLong, by: ample) }.code == .invalidArgument)
        #expect(
            try errorOf { try store.values(of: [tooLong], interruptedBy: nil, by: ample) }.code
                == .invalidArgument)
    }

    @Test(arguments: StoreKind.allCases)
    func closingEndsWaitingCalls(kind: StoreKind) throws {
        let fixture = try StoreFixture(kind)
        let store = try fixture.open()
        let results = try onThreads(0..<3) { rank -> [[UInt8]] in
            if rank == 2 {
                // Others wait by then, or are told when they begin.
                _ = try? store.values(of: ["x"], interruptedBy: nil, by: .after(.milliseconds(50)))
                store.close()
                return [[]]
            }
            return try store.values(of: ["never"], interruptedBy: nil, by: ample)
        }
        for result in results.prefix(2) { #expect(result.error?.code == .closed) }
        #expect(try errorOf { try store.set("a", to: [], by: ample) }.code == .closed)
        store.close()
    }

    @Test(arguments: StoreKind.allCases)
    func oneObjectServesSeveralThreads(kind: StoreKind) throws {
        let fixture = try StoreFixture(kind)
        let store = try fixture.open()
        // Rank 0 waits for what the others set later through the same object.
        let results = try onThreads(0..<4) { rank in
            if rank > 0 { try store.set("k\(rank)", to: [UInt8(rank)], by: ample) }
            return try store.values(of: ["k1", "k2", "k3"], interruptedBy: nil, by: ample)
        }
        for result in results { #expect(try result.get() == [[1], [2], [3]]) }
    }
}
