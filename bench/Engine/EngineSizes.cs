using OllamaMax.TestKit.Models;

namespace OllamaMax.Bench.Engine;

/// <summary>How much is measured, and on what.</summary>
internal sealed record EngineSizes
{
    public static EngineSizes Full { get; } = new();

    public static EngineSizes Quick { get; } = new()
    {
        Model = new() { Context = 4096, Name = "random-tiny" },
        // Few, and answers long enough that all of them run at some moment on a machine that does other things too.
        Sequences = [1, 2, 3, 4],
        SampledSequences = [1, 4],
        LongSequences = [4],
        Tokens = 256,
        Repeats = 1,
        ShortPrompt = 8,
        Prompt = 64,
        LongerPrompt = 32,
        LongPrompt = 200,
        UsualTokens = 8,
        Kept = [0, 256],
        KeptSequences = [2],
        CopiedTokens = 128,
        DraftSequences = [1, 2],
        Prefix = 100,
        WithPeer = false,
    };

    /// <summary>A GPU has room for many more sequences.</summary>
    public static EngineSizes Gpu { get; } = new()
    {
        GpuLayers = -1,
        Sequences = [1, 4, 8, 16, 32, 64],
        SampledSequences = [1, 8, 64],
        // No more than prompts are kept: they are read before their answers are measured.
        LongSequences = [8, 16],
        Tokens = 256,
        Prompt = 2048,
        LongerPrompt = 512,
        MostPeerSequences = 8,
        Kept = [0, 2048, 8192, 32768],
        KeptSequences = [1, 8, 32],
        CopiedTokens = 512,
        DraftSequences = [1, 4, 16],
    };

    /// <summary>Three contexts of it, ours, the peer's and the library's, find room in 80 GB.</summary>
    public static EngineSizes LargeGpu { get; } = Gpu with { Model = GgufSpec.Largest with { Context = 4096 }, Prompt = 1024 };

    /// <summary>With room for the longest prompt and the streams beside it.</summary>
    public GgufSpec Model { get; init; } = GgufSpec.Large with { Context = 4096 };

    public IReadOnlyList<int> Sequences { get; init; } = [1, 4, 8, 16];

    /// <summary>Where Ollama's default sampling is measured too.</summary>
    public IReadOnlyList<int> SampledSequences { get; init; } = [1, 8];

    /// <summary>Where answers after prompts of <see cref="LongerPrompt"/> tokens are measured.</summary>
    public IReadOnlyList<int> LongSequences { get; init; } = [8];

    /// <summary>Tokens of prompts that fill the memory beside each other.</summary>
    public int LongerPrompt { get; init; } = 256;

    /// <summary>Layers in GPU memory; -1: all.</summary>
    public int GpuLayers { get; init; }

    /// <summary>Of each answer.</summary>
    public int Tokens { get; init; } = 48;

    public int Repeats { get; init; } = 3;

    /// <summary>Tokens of the prompts of answers whose speed is measured.</summary>
    public int ShortPrompt { get; init; } = 32;

    /// <summary>Tokens of the prompt whose reading is measured.</summary>
    public int Prompt { get; init; } = 512;

    /// <summary>Tokens of the prompt that joins running streams.</summary>
    public int LongPrompt { get; init; } = 2000;

    public int Streams { get; init; } = 3;

    /// <summary>Tokens of each stream before that: their gaps are the usual ones.</summary>
    public int UsualTokens { get; init; } = 40;

    /// <summary>Tokens that prompts share.</summary>
    public int Prefix { get; init; } = 1000;

    /// <summary>Tokens that are kept beside answers; none is the first.</summary>
    public IReadOnlyList<int> Kept { get; init; } = [0, 2048];

    /// <summary>Answers beside them.</summary>
    public IReadOnlyList<int> KeptSequences { get; init; } = [1, 8];

    /// <summary>Tokens of prompts that are written again.</summary>
    public int CopiedTokens { get; init; } = 96;

    /// <summary>Answers that do so together.</summary>
    public IReadOnlyList<int> DraftSequences { get; init; } = [1, 4];

    /// <summary>Where the peer takes part: the JavaScript of many sequences takes longer than all the rest, and says nothing new.</summary>
    public int MostPeerSequences { get; init; } = 16;

    /// <summary>Needs an installation from npm.</summary>
    public bool WithPeer { get; init; } = true;
}
