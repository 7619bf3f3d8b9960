import RingCore
import Testing

@testable import RingBootstrap

@Suite struct StoreTableTests {
    private func answers(_ answers: [(StoreTable.Waiter, StoreTable.Answer)]?) -> [Int: StoreTable.Answer]? {
        answers.map { Dictionary(uniqueKeysWithValues: $0.map { ($0.0, $0.1) }) }
    }

    @Test func answersWhenTheLastKeyComes() {
        var table = StoreTable()
        #expect(answers(table.set("a", to: [1])) == [:])
        #expect(table.wait(1, for: ["a"], interruptedBy: nil) == .values([[1]]))
        #expect(table.wait(2, for: ["a", "b", "c"], interruptedBy: "stop") == nil)
        #expect(table.wait(3, for: ["c"], interruptedBy: nil) == nil)
        #expect(answers(table.set("c", to: [3])) == [3: .values([[3]])])
        #expect(answers(table.set("b", to: [2])) == [2: .values([[1], [2], [3]])])
        #expect(table.stopWaiting(2) == nil)
    }

    /// Every order in which five keys can come.
    @Test func anyOrderOfArrival() {
        func permutations(_ keys: [String]) -> [[String]] {
            keys.isEmpty
                ? [[]] : keys.flatMap { key in permutations(keys.filter { $0 != key }).map { [key] + $0 } }
        }
        let keys = ["a", "b", "c", "d", "e"]
        for order in permutations(keys) {
            var table = StoreTable()
            #expect(table.wait(1, for: keys, interruptedBy: "stop") == nil)
            for (index, key) in order.enumerated() {
                let expected: [Int: StoreTable.Answer] =
                    index == 4 ? [1: .values(keys.map { Array($0.utf8) })] : [:]
                #expect(answers(table.set(key, to: Array(key.utf8))) == expected)
            }
        }
    }

    @Test func interruptionEndsAllWhoName() {
        var table = StoreTable()
        for waiter in 1...3 {
            #expect(table.wait(waiter, for: ["x\(waiter)"], interruptedBy: waiter < 3 ? "stop" : nil) == nil)
        }
        #expect(answers(table.set("stop", to: [7])) == [1: .interrupted([7]), 2: .interrupted([7])])
        #expect(table.stopWaiting(3) == [0])
        #expect(answers(table.set("x1", to: [])) == [:])
    }

    @Test func aRemovedKeyIsWaitedForAgain() {
        var table = StoreTable()
        _ = table.set("a", to: [1])
        #expect(table.wait(1, for: ["a", "b"], interruptedBy: nil) == nil)
        let existed = table.remove("a")
        #expect(existed)
        #expect(answers(table.set("b", to: [2])) == [:])
        #expect(answers(table.set("a", to: [3])) == [1: .values([[3], [2]])])
    }

    @Test func capacityCountsKeysAndIsGivenBack() {
        var table = StoreTable(capacity: 1000)
        #expect(table.set("a", to: [UInt8](repeating: 0, count: 900)) != nil)
        #expect(table.set("b", to: [1]) == nil)
        #expect(table.value(of: "b") == nil)
        #expect(table.set("a", to: [1]) != nil)
        #expect(table.set("b", to: [UInt8](repeating: 0, count: 700)) != nil)
        #expect(table.removeAll(withPrefix: "b") == 1)
        #expect(table.set("c", to: [UInt8](repeating: 0, count: 800)) != nil)
    }
}
