using System.Text;
using LLama.Exceptions;
using LLama.Native;
using Microsoft.Extensions.Logging;
using OllamaMax.Inference.Native;

namespace OllamaMax.Inference.LLamaSharp;

/// <summary>
/// A model run by LLamaSharp 0.30.0, whose native library is chosen by the backend package that the program references.
/// LLamaSharp decodes one context at a time in a process: a second model belongs into a second process.
/// </summary>
internal sealed class SharpModel : INativeModel
{
    private const int MaximalSequences = 256; // LLAMA_MAX_SEQ

    private static readonly NativeLogConfig.LLamaLogCallback s_log = static (level, text) => NativeLog.Append((int)level, Encoding.UTF8.GetBytes(text));

    private readonly SafeLlamaModelHandle _handle;
    private readonly LoraAdapter[] _adapters;
    private readonly TokenTable _tokens;
    private readonly bool _splitsByExpression;
    private readonly bool _canAddSpecial;
    private volatile bool _disposed;

    private SharpModel(SafeLlamaModelHandle handle, ModelShape shape, LoraAdapter[] adapters)
    {
        (_handle, _adapters) = (handle, adapters);
        Shape = shape;
        SafeLlamaModelHandle.Vocabulary vocabulary = handle.Vocab;
        if (vocabulary.Type is LLamaVocabType.None || !handle.HasDecoder || handle.HasEncoder || handle.IsDiffusion)
            throw new ModelLoadException("it neither generates text token by token nor makes embeddings");
        _tokens = new TokenTable(vocabulary.Count, ReadPiece, token => ((LLamaToken)token).IsEndOfGeneration(vocabulary));
        _splitsByExpression = vocabulary.Type != LLamaVocabType.SentencePiece;
        if (!_splitsByExpression)
            _tokens.RequireByteTokens();
        LeadingToken = vocabulary.ShouldAddBOS && vocabulary.BOS is { } bos ? (int)bos : null;
        bool isWordPiece = vocabulary.Type == LLamaVocabType.WordPiece;
        LLamaToken? last = isWordPiece ? vocabulary.SEP : vocabulary.ShouldAddEOS ? vocabulary.EOS : null;
        TrailingToken = last is { } trailing ? (int)trailing : null;
        // Adding a token that the vocabulary lacks is an assertion in there.
        _canAddSpecial = ((!vocabulary.ShouldAddBOS && !isWordPiece) || vocabulary.BOS is not null)
            && ((!vocabulary.ShouldAddEOS && !isWordPiece) || last is not null);
        TrainedContext = Math.Max(0, handle.ContextSize);
    }

    public ModelShape Shape { get; }

    public int TrainedContext { get; }

    public int VocabularySize => _tokens.Size;

    public int? LeadingToken { get; }

    public int? TrailingToken { get; }

    public int LongestPiece => _tokens.LongestPiece;

    /// <summary>Reads a model from a GGUF file. Blocks for as long as that takes.</summary>
    /// <exception cref="ModelLoadException">The library or the file cannot be used.</exception>
    /// <exception cref="OperationCanceledException"/>
    public static SharpModel Load(string path, ModelConfig config, ILoggerFactory loggers, CancellationToken cancellationToken)
    {
        ModelShape shape = GgufCheck.Check(path);
        SafeLlamaModelHandle handle = Open(path, config, loggers, cancellationToken);
        try
        {
            // Whether the library refused one LLamaSharp does not tell; that they are of this model is known by then.
            return new SharpModel(handle, shape, AdapterFiles.Load(path, handle.LoadLoraFromFile));
        }
        catch (ModelLoadException failure)
        {
            handle.Dispose();
            throw new ModelLoadException($"{path} cannot be used: {failure.Message}", failure);
        }
    }

    public bool IsEndOfGeneration(int token) => _tokens.IsEndOfGeneration(token);

    public ReadOnlyMemory<byte> Piece(int token) => _tokens.Piece(token);

    public int[] Tokenize(ReadOnlySpan<byte> utf8, bool addSpecial, bool parseSpecial)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        bool held = false;
        try
        {
            // The vocabulary is memory of the model: it must not go while another thread reads it.
            _handle.DangerousAddRef(ref held);
            return PromptText.Tokenize(utf8, addSpecial && _canAddSpecial, LeadingToken, _splitsByExpression,
                (part, special) => TokenizePart(part, special, parseSpecial));
        }
        finally
        {
            if (held)
                _handle.DangerousRelease();
        }
    }

    public INativeContext CreateContext(ContextConfig config)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        config.Validate(MaximalSequences);
        if (config.Pooling is null && !Shape.IsGenerator)
            throw new ModelLoadException("it is no model that writes: it makes embeddings");
        return SharpContext.Create(_handle, _adapters, config, VocabularySize, Shape.IsGenerator || TrainedContext == 0 ? int.MaxValue : TrainedContext);
    }

    public INativeSampler CreateSampler(SamplerConfig config) => new SharpSampler(config, _tokens);

    /// <summary>Contexts go on: the memory goes with the last of them.</summary>
    public void Dispose()
    {
        _disposed = true;
        _handle.Dispose();
    }

    private static SafeLlamaModelHandle Open(string path, ModelConfig config, ILoggerFactory loggers, CancellationToken cancellationToken)
    {
        LlamaProgressCallback goesOn = (progress, _) =>
        {
            config.Progress?.Report(progress);
            return !cancellationToken.IsCancellationRequested;
        };
        List<string> errors = [];
        try
        {
            NativeLog.RouteTo(loggers.CreateLogger("llama.cpp"));
            NativeLogConfig.llama_log_set(s_log);
            // LLamaSharp chooses the library in there; what follows would be looked for without it.
            NativeApi.llama_empty_call();
            LLamaModelParams parameters = LLamaModelParams.Default();
            parameters.n_gpu_layers = config.GpuLayers;
            parameters.progress_callback = goesOn;
            return NativeLog.Capture(errors, () => SafeLlamaModelHandle.LoadFromFile(path, parameters));
        }
        catch (LoadWeightsFailedException failure)
        {
            cancellationToken.ThrowIfCancellationRequested();
            throw new ModelLoadException($"{path} cannot be loaded: {NativeLog.Reason(errors)}", failure);
        }
        catch (Exception failure) when (failure is RuntimeError or TypeInitializationException or DllNotFoundException)
        {
            throw new ModelLoadException($"LLamaSharp has no library that runs here: {failure.GetBaseException().Message.ReplaceLineEndings(" ").Trim()}", failure);
        }
        finally
        {
            GC.KeepAlive(goesOn);
        }
    }

    private int[] TokenizePart(ReadOnlySpan<byte> utf8, bool addSpecial, bool parseSpecial)
    {
        LLamaToken[] tokens = _handle.Tokenize(Encoding.UTF8.GetString(utf8), addSpecial, parseSpecial, Encoding.UTF8);
        return Array.ConvertAll(tokens, static token => (int)token);
    }

    private byte[] ReadPiece(int token)
    {
        Span<byte> buffer = stackalloc byte[256];
        int length = (int)_handle.TokenToSpan(token, buffer, special: true);
        if (length > buffer.Length)
        {
            buffer = new byte[length];
            length = (int)_handle.TokenToSpan(token, buffer, special: true);
        }
        return buffer[..length].ToArray();
    }
}
