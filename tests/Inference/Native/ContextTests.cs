using OllamaMax.Inference.Native;
using OllamaMax.TestKit.Models;

namespace OllamaMax.Inference.Tests.Native;

/// <summary>Whatever a caller passes, the process lives: each of these would be a failed assertion in native code.</summary>
public sealed class ContextTests : IDisposable
{
    private readonly INativeModel _model = TestModels.Load(TestModels.Tiny);
    private readonly INativeContext _context;

    public ContextTests() => _context = _model.CreateContext(Config());

    public void Dispose()
    {
        _context.Dispose();
        _model.Dispose();
    }

    [Fact]
    public void WarmUp_LeavesNothingInMemory()
    {
        using INativeContext cold = _model.CreateContext(Config());

        LlamaEngine.WarmUp(_context);

        _context.Length(0).ShouldBe(0);
        Logits(_context).ShouldBe(Logits(cold));

        float[] Logits(INativeContext context)
        {
            DecodeBatch words = TestModels.Words(_model);
            context.Decode(words).ShouldBe(DecodeOutcome.Ok);
            return context.Logits(words.Count - 1).ToArray();
        }
    }

    [Fact]
    public void Decode_EmptyBatch_Throws() => Should.Throw<ArgumentException>(() => _context.Decode(new DecodeBatch(8)));

    [Fact]
    public void Decode_MoreThanTheBatchSize_Throws() =>
        Should.Throw<ArgumentException>(() => _context.Decode(Batch(0, Enumerable.Repeat(5, 33).ToArray()))).Message.ShouldContain("33");

    [Theory]
    [InlineData(-1)]
    [InlineData(512)]
    [InlineData(int.MinValue)]
    public void Decode_TokenOutsideTheVocabulary_Throws(int token) =>
        Should.Throw<ArgumentException>(() => _context.Decode(Batch(0, token))).Message.ShouldContain(token.ToString(provider: null));

    [Theory]
    [InlineData(-1)]
    [InlineData(3)]
    [InlineData(255)]
    [InlineData(256)]
    public void Decode_SequenceThatIsNotThere_Throws(int sequence) =>
        Should.Throw<ArgumentException>(() => _context.Decode(Batch(sequence, 5))).Message.ShouldContain("Sequence");

    [Theory]
    [InlineData(-1)]
    [InlineData(1)]
    [InlineData(int.MaxValue)]
    public void Decode_PositionThatDoesNotGoOn_Throws(int position)
    {
        DecodeBatch batch = new(8);
        batch.Add(5, position, 0, output: true);

        Should.Throw<ArgumentException>(() => _context.Decode(batch)).Message.ShouldContain("position 0");
    }

    [Fact]
    public void Decode_PositionTwice_Throws()
    {
        DecodeBatch batch = new(8);
        batch.Add(5, 0, 0, output: false);
        batch.Add(6, 0, 0, output: true);

        Should.Throw<ArgumentException>(() => _context.Decode(batch));
    }

    [Fact]
    public void Decode_AfterARefusedBatch_GoesOn()
    {
        Should.Throw<ArgumentException>(() => _context.Decode(Batch(0, 5, -1)));

        _context.Decode(Batch(0, 5, 6)).ShouldBe(DecodeOutcome.Ok);
        _context.Length(0).ShouldBe(2);
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(0)]
    [InlineData(2)]
    [InlineData(1000)]
    public void Logits_WhereNoneWereAskedFor_Throws(int index)
    {
        _context.Decode(Batch(0, 5, 6)).ShouldBe(DecodeOutcome.Ok);

        Should.Throw<ArgumentOutOfRangeException>(() => _context.Logits(index).ToArray());
        _context.Logits(1).Length.ShouldBe(_model.VocabularySize);
    }

    [Fact]
    public void Logits_BeforeAnyBatch_Throws() => Should.Throw<ArgumentOutOfRangeException>(() => _context.Logits(0).ToArray());

    [Fact]
    public void Decode_NoRoomLeft_IsNoKvSlotAndChangesNothing()
    {
        int position = 0;
        DecodeBatch batch = new(32);
        while (position < _context.Capacity)
        {
            batch.Clear();
            for (int i = 0; i < 32; i++)
                batch.Add(5, position++, 0, output: i == 31);
            _context.Decode(batch).ShouldBe(DecodeOutcome.Ok);
        }

        _context.Decode(Batch(1, 5)).ShouldBe(DecodeOutcome.NoKvSlot);

        _context.Length(1).ShouldBe(0);
        _context.Length(0).ShouldBe(_context.Capacity);
        Should.Throw<ArgumentOutOfRangeException>(() => _context.Logits(0).ToArray());
        _context.TruncateSequence(0, 10).ShouldBeTrue();
        _context.Decode(Batch(1, 5)).ShouldBe(DecodeOutcome.Ok);
    }

    [Fact]
    public void CopySequence_OfABeginning_GivesTheSameLogits()
    {
        _context.Decode(Batch(0, 5, 6, 7, 8));
        float[] expected = _context.Logits(3).ToArray();

        _context.CopySequence(0, 1, 3);
        DecodeBatch batch = new(8);
        batch.Add(8, 3, 1, output: true);
        _context.Decode(batch).ShouldBe(DecodeOutcome.Ok);

        float[] actual = _context.Logits(0).ToArray();
        for (int i = 0; i < expected.Length; i++)
            actual[i].ShouldBe(expected[i], 1e-3);
    }

    [Fact]
    public void CopySequence_WrongArguments_Throw()
    {
        _context.Decode(Batch(0, 5, 6));
        _context.Decode(Batch(1, 5));

        Should.Throw<ArgumentOutOfRangeException>(() => _context.CopySequence(0, 2, 3));
        Should.Throw<ArgumentOutOfRangeException>(() => _context.CopySequence(0, 2, 0));
        Should.Throw<ArgumentOutOfRangeException>(() => _context.CopySequence(0, 3, 1));
        Should.Throw<ArgumentOutOfRangeException>(() => _context.CopySequence(-1, 2, 1));
        Should.Throw<ArgumentException>(() => _context.CopySequence(0, 1, 1));
        Should.Throw<ArgumentException>(() => _context.CopySequence(0, 0, 1));
    }

    [Fact]
    public void Embedding_InAContextThatWrites_Throws()
    {
        _context.Decode(Batch(0, 5, 6));

        Should.Throw<ArgumentOutOfRangeException>(() => _context.Embedding(0).ToArray());
    }

    [Fact]
    public void Embedding_OfWhatTheLastBatchHeld_IsThere()
    {
        using INativeContext context = _model.CreateContext(Config() with { Pooling = Pooling.Mean, Sequences = 4 });
        DecodeBatch batch = new(8);
        batch.Add(5, 0, 1, output: true);
        context.Decode(batch).ShouldBe(DecodeOutcome.Ok);

        context.Embedding(1).Length.ShouldBe(64);
        Should.Throw<ArgumentOutOfRangeException>(() => context.Embedding(0).ToArray());
        Should.Throw<ArgumentOutOfRangeException>(() => context.Embedding(-1).ToArray());
        Should.Throw<ArgumentOutOfRangeException>(() => context.Logits(0).ToArray());
        // Every entry has to ask there.
        batch.Clear();
        batch.Add(5, 1, 1, output: false);
        Should.Throw<ArgumentException>(() => context.Decode(batch));
    }

    [Fact]
    public void Decode_BeyondTheTableOfPositions_Throws()
    {
        using INativeModel model = TestModels.Load(new GgufSpec { Architecture = GgufArchitecture.Bert, Vocabulary = GgufVocabularyKind.WordPiece, Context = 16 });
        using INativeContext context = model.CreateContext(Config() with { Pooling = Pooling.Mean, Sequences = 4 });
        DecodeBatch batch = new(32);
        for (int i = 0; i < 17; i++)
            batch.Add(5, i, 0, output: true);

        Should.Throw<ArgumentException>(() => context.Decode(batch)).Message.ShouldContain("16");
        Should.Throw<ModelLoadException>(() => model.CreateContext(Config()));
    }

    [Fact]
    public void TruncateSequence_WrongArguments_Throw()
    {
        _context.Decode(Batch(0, 5, 6));

        Should.Throw<ArgumentOutOfRangeException>(() => _context.TruncateSequence(0, 3));
        Should.Throw<ArgumentOutOfRangeException>(() => _context.TruncateSequence(0, -1));
        Should.Throw<ArgumentOutOfRangeException>(() => _context.TruncateSequence(3, 0));
        Should.Throw<ArgumentOutOfRangeException>(() => _context.TruncateSequence(-1, 0));
    }

    [Fact]
    public void Members_AfterDispose_Throw()
    {
        _context.Dispose();

        Should.Throw<ObjectDisposedException>(() => _context.Decode(Batch(0, 5)));
        Should.Throw<ObjectDisposedException>(() => _context.Logits(0).ToArray());
        Should.Throw<ObjectDisposedException>(() => _context.TruncateSequence(0, 0));
    }

    [Fact]
    public void Dispose_OfTheModelFirst_LeavesTheContextAlive()
    {
        _model.Dispose();

        _context.Decode(Batch(0, 5)).ShouldBe(DecodeOutcome.Ok);
        Should.Throw<ObjectDisposedException>(() => _model.CreateContext(Config()));
    }

    [Fact]
    public void CreateContext_FewerTokensThanSequences_HasRoomForOneOfEach()
    {
        using INativeContext context = _model.CreateContext(Config() with { Capacity = 1, Sequences = 20 });

        context.Capacity.ShouldBeGreaterThanOrEqualTo(20);
        Read(context, 19, 5, 6).Length.ShouldBe(_model.VocabularySize);
    }

    [Fact]
    public void CreateContext_WrongConfig_Throws()
    {
        Should.Throw<ArgumentOutOfRangeException>(() => _model.CreateContext(Config() with { Capacity = 0 }));
        Should.Throw<ArgumentOutOfRangeException>(() => _model.CreateContext(Config() with { Sequences = 0 }));
        Should.Throw<ArgumentOutOfRangeException>(() => _model.CreateContext(Config() with { Sequences = 257 }));
        Should.Throw<ArgumentOutOfRangeException>(() => _model.CreateContext(Config() with { BatchSize = -1 }));
        Should.Throw<ArgumentOutOfRangeException>(() => _model.CreateContext(Config() with { BatchSize = 2 }));
        Should.Throw<ArgumentOutOfRangeException>(() => _model.CreateContext(Config() with { Threads = 0 }));
        Should.Throw<ArgumentOutOfRangeException>(() => _model.CreateContext(Config() with { Threads = 513 }));
        Should.Throw<ArgumentException>(() => _model.CreateContext(Config() with { Pooling = Pooling.Mean }));
        Should.Throw<ArgumentException>(() => _model.CreateContext(Config() with { Pooling = Pooling.Mean, Sequences = 4, BatchSize = 1024 }));
    }

    [Fact]
    public void CreateContext_CacheTypeThatDoesNotFitTheModel_Throws()
    {
        // Heads of 16 cannot be kept in blocks of 32.
        ContextConfig config = Config() with { FlashAttention = FlashAttention.Auto };
        Should.Throw<ModelLoadException>(() => _model.CreateContext(config with { KeyType = CacheType.Q8 }));
        Should.Throw<ModelLoadException>(() => _model.CreateContext(config with { ValueType = CacheType.Q4 }));
        Should.Throw<ArgumentException>(() => _model.CreateContext(Config() with { KeyType = CacheType.Q8 }));
        Should.Throw<ArgumentException>(() => _model.CreateContext(Config() with { ValueType = CacheType.Q4 }));
    }

    internal static ContextConfig Config() => new()
    {
        Capacity = 256,
        Sequences = 3,
        BatchSize = 32,
        Threads = 1,
        KeyType = CacheType.F32,
        ValueType = CacheType.F32,
        FlashAttention = FlashAttention.Off,
    };

    internal static float[] Read(INativeContext context, int sequence, params int[] tokens)
    {
        DecodeBatch batch = new(tokens.Length);
        int start = context.Length(sequence);
        for (int i = 0; i < tokens.Length; i++)
            batch.Add(tokens[i], start + i, sequence, output: i == tokens.Length - 1);
        context.Decode(batch).ShouldBe(DecodeOutcome.Ok);
        return context.Logits(tokens.Length - 1).ToArray();
    }

    private static DecodeBatch Batch(int sequence, params int[] tokens)
    {
        DecodeBatch batch = new(64);
        for (int i = 0; i < tokens.Length; i++)
            batch.Add(tokens[i], i, sequence, output: i == tokens.Length - 1);
        return batch;
    }
}
