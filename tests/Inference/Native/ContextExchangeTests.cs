using OllamaMax.Inference.Native;

namespace OllamaMax.Inference.Tests.Native;

/// <summary>Sequences that go from one context to another.</summary>
public sealed class ContextExchangeTests : IDisposable
{
    // Heads of 32, which can be kept in blocks of 32.
    private readonly INativeModel _model = TestModels.Load(TestModels.Tiny with { Heads = 2 });

    public void Dispose() => _model.Dispose();

    // Keys and values lie in another order where flash attention is off.
    [Theory]
    [InlineData(FlashAttention.Off, CacheType.F32)]
    [InlineData(FlashAttention.Off, CacheType.F16)]
    [InlineData(FlashAttention.On, CacheType.F16)]
    [InlineData(FlashAttention.On, CacheType.Q8)]
    [InlineData(FlashAttention.On, CacheType.Q4)]
    public void Append_OfAnotherContext_GoesOnAsThatOneDoes(FlashAttention flash, CacheType cache)
    {
        ContextConfig config = ContextTests.Config() with { Exchanges = true, FlashAttention = flash, KeyType = cache, ValueType = cache };
        using INativeContext one = _model.CreateContext(config), other = _model.CreateContext(config);
        int[] tokens = [.. Enumerable.Range(20, 24)];
        ContextTests.Read(one, 2, tokens);
        ContextTests.Read(other, 1, tokens[..7]);
        ContextTests.Read(other, 0, 9, 8);

        using SequencePart part = one.Save(2, 7, 24);
        other.Append(1, part).ShouldBeTrue();

        (other.Length(1), one.Length(2)).ShouldBe((24, 24));
        // In another order in memory, so that sums differ in their last digits.
        ContextTests.Read(other, 1, 5).ShouldBe(ContextTests.Read(one, 2, 5), tolerance: 1e-3);
        // Again, over what was cut: nothing is left of what was on its way before.
        other.TruncateSequence(1, 7).ShouldBeTrue();
        using SequencePart more = one.Save(2, 7, 25);
        other.Append(1, more).ShouldBeTrue();
        ContextTests.Read(other, 1, 6).ShouldBe(ContextTests.Read(one, 2, 6), tolerance: 1e-3);
    }

    [Fact]
    public void Append_NoRoom_ChangesNothing()
    {
        using INativeContext one = _model.CreateContext(ContextTests.Config() with { Exchanges = true }), small = _model.CreateContext(ContextTests.Config() with { Exchanges = true });
        using INativeContext plain = _model.CreateContext(ContextTests.Config());
        for (int i = 0; i < small.Capacity; i += 32)
            ContextTests.Read(one, 0, [.. Enumerable.Range(20, 32)]);
        ContextTests.Read(small, 0, 5, 6, 7);

        using SequencePart part = one.Save(0, 0, one.Length(0));
        small.Append(1, part).ShouldBeFalse();

        (small.Length(0), small.Length(1)).ShouldBe((3, 0));
        ContextTests.Read(small, 1, 5, 6, 7).ShouldBe(ContextTests.Read(plain, 0, 5, 6, 7), tolerance: 1e-3);
    }

    [Fact]
    public void SaveAndAppend_WrongArguments_Throw()
    {
        using INativeContext one = _model.CreateContext(ContextTests.Config() with { Exchanges = true }), plain = _model.CreateContext(ContextTests.Config());
        ContextTests.Read(one, 0, 5, 6, 7);
        ContextTests.Read(plain, 0, 5, 6, 7);
        using SequencePart part = one.Save(0, 1, 3);

        Should.Throw<ArgumentOutOfRangeException>(() => one.Save(0, -1, 2));
        Should.Throw<ArgumentOutOfRangeException>(() => one.Save(0, 2, 2));
        Should.Throw<ArgumentOutOfRangeException>(() => one.Save(0, 0, 4));
        Should.Throw<ArgumentOutOfRangeException>(() => one.Save(3, 0, 1));
        Should.Throw<ArgumentException>(() => plain.Save(0, 0, 1)).Message.ShouldContain("exchanges");
        Should.Throw<ArgumentException>(() => plain.Append(0, part)).Message.ShouldContain("exchanges");
        Should.Throw<ArgumentException>(() => one.Append(0, part)).Message.ShouldContain("begins at 1 cannot follow 3");
        Should.Throw<ArgumentOutOfRangeException>(() => one.Append(3, part));
        part.Dispose();
        one.TruncateSequence(0, 1);
        Should.Throw<ObjectDisposedException>(() => one.Append(0, part));
        Should.Throw<ArgumentException>(() => _model.CreateContext(ContextTests.Config() with { Exchanges = true, SlidingWindow = 64 }));
    }

    [Fact]
    public void CreateContext_FewerTokensThanSequences_HasRoomForOneOfEach()
    {
        using INativeContext context = _model.CreateContext(ContextTests.Config() with { Capacity = 1, Sequences = 20, Exchanges = true });

        context.Capacity.ShouldBeGreaterThanOrEqualTo(21);
        ContextTests.Read(context, 19, 5, 6).Length.ShouldBe(_model.VocabularySize);
    }
}
