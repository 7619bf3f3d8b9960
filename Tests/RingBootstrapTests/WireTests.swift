import RingCore
import Testing

@testable import RingBootstrap

@Suite struct WireTests {
    static let requests: [StoreRequest] = [
        .set(key: "k", value: [1, 2]), .setIfAbsent(key: "ключ", value: []),
        .values(keys: ["a", "b"], interruption: "stop", milliseconds: 1234),
        .values(keys: [], interruption: nil, milliseconds: .max), .remove(key: "k"), .removeAll(prefix: ""),
        .leave(StoreWill(key: "k", value: [1])), .withdraw(token: "t"),
    ]
    static let responses: [StoreResponse] = [
        .done, .existing([1]), .values([[1], [], [2, 3]]), .missing([0, 7]), .interrupted([5]), .count(3),
        .refused("no"), .closing,
    ]

    @Test(arguments: requests) func requestsRoundTrip(request: StoreRequest) throws {
        let body = try body(of: request.frame)
        #expect(try StoreRequest(body: body) == request)
        for length in 0..<body.count {
            #expect(throws: WireError.self) { try StoreRequest(body: Array(body.prefix(length))) }
        }
        #expect(throws: WireError.self) { try StoreRequest(body: body + [0]) }
    }

    @Test(arguments: responses) func responsesRoundTrip(response: StoreResponse) throws {
        let body = try body(of: response.frame)
        #expect(try StoreResponse(body: body) == response)
        for length in 0..<body.count {
            #expect(throws: WireError.self) { try StoreResponse(body: Array(body.prefix(length))) }
        }
        #expect(throws: WireError.self) { try StoreResponse(body: body + [0]) }
    }

    private func body(of frame: [UInt8]) throws -> [UInt8] {
        let length = frame.prefix(4).reversed().reduce(0) { $0 << 8 | Int($1) }
        try #require(length == frame.count - 4)
        return Array(frame.dropFirst(4))
    }

    @Test func anyBytesAreReadOrRefused() {
        var state: UInt64 = 42
        for _ in 0..<20_000 {
            var bytes: [UInt8] = []
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            for _ in 0..<Int(state >> 60) + Int(state >> 59 & 1) * 16 {
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                bytes.append(UInt8(truncatingIfNeeded: state >> 40) & (state >> 63 == 0 ? 0xff : 0x07))
            }
            if let request = try? StoreRequest(body: bytes) {
                #expect((try? StoreRequest(body: Array(request.frame.dropFirst(4)))) == request)
            }
            _ = try? StoreResponse(body: bytes)
        }
    }

    @Test func anAnnouncedCountIsNotBelieved() {
        #expect(throws: WireError.self) { try StoreResponse(body: [2, 0xff, 0xff, 0xff, 0x7f]) }
        #expect(throws: WireError.self) {
            try StoreRequest(body: [3, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff])
        }
    }

    @Test func aTextNotInUTF8IsRefused() {
        #expect(throws: WireError.self) { try StoreRequest(body: [4, 1, 0, 0xff]) }
    }

    @Test func anOverlongTextIsCutBetweenCharacters() throws {
        var writer = ByteWriter()
        writer.text(String(repeating: "🙂", count: 40_000))
        var reader = ByteReader(writer.bytes)
        #expect(try reader.text() == String(repeating: "🙂", count: 16_383))
    }

    @Test func labelsAndTranscriptsSeparateProofs() {
        let authenticator = JobAuthenticator(secret: [1, 2, 3])
        let proof = authenticator.proof(label: "ab", transcript: [99])
        #expect(proof.count == JobAuthenticator.proofBytes)
        #expect(authenticator.verify(proof, label: "ab", transcript: [99]))
        #expect(!authenticator.verify(proof, label: "a", transcript: Array("b".utf8) + [99]))
        #expect(!authenticator.verify(proof, label: "ab", transcript: [98]))
        #expect(!authenticator.verify(Array(proof.dropLast()), label: "ab", transcript: [99]))
        #expect(!authenticator.verify([], label: "ab", transcript: [99]))
        #expect(!JobAuthenticator(secret: nil).verify(proof, label: "ab", transcript: [99]))
        #expect(
            JobAuthenticator(secret: nil).proof(label: "x", transcript: [])
                == JobAuthenticator(secret: []).proof(label: "x", transcript: []))
        #expect(!JobAuthenticator(secret: []).hasSecret && authenticator.hasSecret)
        #expect(JobAuthenticator.makeNonce() != JobAuthenticator.makeNonce())
        #expect(JobAuthenticator.makeSecret().count == 64)
    }

    /// What another implementation gets, so that the bytes that are authenticated do not change unnoticed.
    @Test func aProofIsHMACOfNameLabelAndTranscript() {
        // printf 'ring-collectives/1\4\0\0\0testabc' | openssl dgst -sha256 -hmac secret
        let proof = JobAuthenticator(secret: Array("secret".utf8)).proof(
            label: "test", transcript: Array("abc".utf8))
        #expect(
            proof.map(hexadecimal).joined()
                == "4f8849e7d4920f7786d11c618411e95862cd3766f01cd50c4829d9d05f3d2966")
    }
}
