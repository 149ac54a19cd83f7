using OllamaMax.Inference.Batching;
using OllamaMax.Inference.Native;
using OllamaMax.Inference.Tests.Batching;

namespace OllamaMax.Inference.Tests.LlamaCpp;

/// <summary>Of real computations, with a clock that goes on by a millisecond each time it is read.</summary>
public sealed class SlicedDecoderTests : IDisposable
{
    private static readonly ContextConfig s_config = new() { Capacity = 256, Sequences = 1, BatchSize = 64, Threads = 1, IsInterruptible = true };

    private readonly INativeModel _model = TestModels.Load(TestModels.Tiny);
    private readonly INativeContext _context;
    private readonly SlicedDecoder _decoder;

    public SlicedDecoderTests()
    {
        _context = _model.CreateContext(s_config);
        _decoder = new(_context, new TickingTime());
    }

    public void Dispose()
    {
        _decoder.Dispose();
        _model.Dispose();
    }

    [Fact]
    public void Run_EnoughTime_IsOver()
    {
        float[] expected = TestModels.LogitsOf(_model);

        _decoder.Run(Words(), TimeSpan.MaxValue).ShouldBe(DecodeOutcome.Ok);

        _decoder.IsWithin.ShouldBeFalse();
        Logits().ShouldBe(expected);
    }

    [Fact]
    public void Run_TimeIsOver_GoesOnWithTheNextCallWhateverIsComputedBetween()
    {
        float[] expected = TestModels.LogitsOf(_model);
        int slices = 1;

        DecodeBatch batch = Words();
        while (_decoder.Run(batch, TimeSpan.FromMilliseconds(1)) is null)
        {
            slices++;
            _decoder.IsWithin.ShouldBeTrue();
            _context.Length(0).ShouldBe(0);
            TestModels.LogitsOf(_model).ShouldBe(expected);
        }

        slices.ShouldBeGreaterThan(2);
        _decoder.IsWithin.ShouldBeFalse();
        Logits().ShouldBe(expected);
    }

    [Fact]
    public void GiveUp_WithinABatch_LeavesAContextThatReadsTheNextOne()
    {
        float[] expected = TestModels.LogitsOf(_model);
        _decoder.Run(Words(), TimeSpan.FromMilliseconds(1)).ShouldBeNull();

        _decoder.GiveUp();

        _decoder.IsWithin.ShouldBeFalse();
        _context.TruncateSequence(0, 0).ShouldBeTrue();
        _decoder.Run(Words(), TimeSpan.MaxValue).ShouldBe(DecodeOutcome.Ok);
        Logits().ShouldBe(expected);
    }

    [Fact]
    public void GiveUp_WithinNone_ChangesNothing()
    {
        _decoder.GiveUp();
        _decoder.Run(Words(), TimeSpan.MaxValue).ShouldBe(DecodeOutcome.Ok);

        _decoder.GiveUp();

        _context.Length(0).ShouldBe(Words().Count);
    }

    [Fact]
    public void Run_TheBatchIsWrong_ThrowsHereAndTakesTheNextOne()
    {
        DecodeBatch wrong = new(8);
        wrong.Add(5, 7, 0, output: true);

        Should.Throw<ArgumentException>(() => _decoder.Run(wrong, TimeSpan.MaxValue)).Message.ShouldContain("position 0");

        _decoder.Run(Words(), TimeSpan.MaxValue).ShouldBe(DecodeOutcome.Ok);
    }

    [Fact]
    public void Dispose_WithinABatch_DoesNotWaitForItsEnd()
    {
        _decoder.Run(Words(), TimeSpan.FromMilliseconds(1)).ShouldBeNull();

        _decoder.Dispose();

        Should.Throw<ObjectDisposedException>(() => _context.TruncateSequence(0, 0));
    }

    [Fact]
    public void Decode_EndedBetweenItsParts_IsAbortedAndCanBeCleared()
    {
        float[] expected = TestModels.LogitsOf(_model);

        _context.Decode(Words(), static () => false).ShouldBe(DecodeOutcome.Aborted);

        Should.Throw<ArgumentOutOfRangeException>(() => _context.Logits(0));
        _context.TruncateSequence(0, 0).ShouldBeTrue();
        _context.Decode(Words(), static () => true).ShouldBe(DecodeOutcome.Ok);
        Logits().ShouldBe(expected);
    }

    [Fact]
    public void Decode_ManyBatches_CanBeInterruptedInEach()
    {
        for (int i = 0; i < 50; i++)
        {
            int asked = 0;
            _context.Decode(Words(), () => ++asked > 0).ShouldBe(DecodeOutcome.Ok);
            asked.ShouldBeGreaterThan(0);
            _context.TruncateSequence(0, 0).ShouldBeTrue();
        }
    }

    [Fact]
    public void Decode_ContextThatCannotBeInterrupted_Throws()
    {
        using INativeContext whole = _model.CreateContext(s_config with { IsInterruptible = false });

        Should.Throw<ArgumentException>(() => whole.Decode(Words(), static () => true)).Message.ShouldContain("interrupted");
        whole.Decode(Words()).ShouldBe(DecodeOutcome.Ok);
    }

    private float[] Logits() => _context.Logits(Words().Count - 1).ToArray();

    private DecodeBatch Words() => TestModels.Words(_model);
}
