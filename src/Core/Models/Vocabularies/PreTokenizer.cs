namespace OllamaMax.Models.Vocabularies;

/// <summary>
/// How a vocabulary of pairs splits texts into words, by the name that the GGUF has for it in <c>tokenizer.ggml.pre</c>: expressions and switches of
/// llama.cpp's src/llama-vocab.cpp (v0.5.0). Left out are those that it does by code of their own.
/// </summary>
internal sealed record PreTokenizer
{
    private const string Contractions = "(?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])";
    private const string Spaces = @"\s*[\r\n]+|\s+(?!\S)|\s+";
    private const string Gpt2 = @"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)";
    private const string Words = @"[^\r\n\p{L}\p{N}]?\p{L}+";
    private const string Signs = @" ?[^\s\p{L}\p{N}]+[\r\n]*";
    private const string Llama3 = $@"{Contractions}|{Words}|\p{{N}}{{1,3}}|{Signs}|{Spaces}";
    private const string Qwen2 = $@"{Contractions}|{Words}|\p{{N}}|{Signs}|{Spaces}";
    private const string Cased =
        @"[^\r\n\p{L}\p{N}]?((?=[\p{L}])([^a-z]))*((?=[\p{L}])([^A-Z]))+(?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])?|" +
        @"[^\r\n\p{L}\p{N}]?((?=[\p{L}])([^a-z]))+((?=[\p{L}])([^A-Z]))*(?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])?";
    private const string Marked = @"[!""#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+";
    private const string EastAsian = "[\u4e00-\u9fa5\u3040-\u309f\u30a0-\u30ff]+";
    private const string Sentences = " ?[^(\\s|.,!?\u2026\u3002\uff0c\u3001\u0964\u06d4\u060c)]+";

    private static readonly PreTokenizer s_gpt2 = new(Gpt2);
    private static readonly PreTokenizer s_digits = new(@"\p{N}", Gpt2);
    private static readonly PreTokenizer s_llama3 = new(Llama3) { IgnoresMerges = true, AddsBos = true };
    private static readonly PreTokenizer s_llama3Plain = new(Llama3);
    private static readonly PreTokenizer s_qwen2 = new(Qwen2);
    private static readonly PreTokenizer s_deepSeek3 = new(@"\p{N}{1,3}", EastAsian, $@"{Marked}| ?[\p{{P}}\p{{S}}]+[\r\n]*|{Spaces}");
    private static readonly PreTokenizer s_gpt4o = new($@"{Cased}|\p{{N}}{{1,3}}| ?[^\s\p{{L}}\p{{N}}]+[\r\n/]*|{Spaces}");
    private static readonly PreTokenizer s_bloom = new(Sentences);
    private static readonly PreTokenizer s_glm4 = new(Llama3) { HasDefaultTokens = false };
    private static readonly PreTokenizer s_bailing = new(
        $@"'(?:[sSdDmMtT]|[lL][lL]|[vV][eE]|[rR][eE])|{Words}|\p{{N}}|{Signs}|\s*[\r\n]|\s+(?!\S)|\s+");

    private static readonly Dictionary<string, PreTokenizer> s_known = new()
    {
        ["default"] = new(@"[\p{P}\$\+<=>\^~\|]+", Gpt2, @"\p{N}+", "[0-9][0-9][0-9]"),
        ["gpt-2"] = s_gpt2,
        ["phi-2"] = s_gpt2,
        ["gigachat"] = s_gpt2,
        ["a.x-4.0"] = s_gpt2,
        ["mellum"] = s_gpt2,
        ["mpt"] = s_gpt2,
        ["olmo"] = s_gpt2,
        ["jais"] = s_gpt2,
        ["trillion"] = s_gpt2,
        ["granite-docling"] = s_gpt2,
        ["exaone4"] = s_gpt2,
        ["starcoder"] = s_digits,
        ["refact"] = s_digits,
        ["command-r"] = s_digits,
        ["smollm"] = s_digits,
        ["codeshell"] = s_digits,
        ["exaone"] = s_digits,
        ["minerva-7b"] = s_digits,
        ["mellum2"] = s_digits,
        ["llama3"] = s_llama3,
        ["llama-v3"] = s_llama3,
        ["llama-bpe"] = s_llama3,
        ["falcon3"] = s_llama3,
        ["falcon-h1"] = s_llama3,
        ["pixtral"] = s_llama3,
        ["midm-2.0"] = s_llama3,
        ["lfm2"] = s_llama3,
        ["dbrx"] = s_llama3Plain,
        ["smaug-bpe"] = s_llama3Plain,
        ["glm4"] = s_glm4,
        ["chatglm-bpe"] = s_glm4,
        ["qwen2"] = s_qwen2,
        ["deepseek-r1-qwen"] = s_qwen2,
        ["kormo"] = s_qwen2,
        ["megrez"] = s_qwen2,
        ["stablelm2"] = s_qwen2,
        ["hunyuan"] = s_qwen2,
        ["solar-open"] = s_qwen2,
        ["grok-2"] = s_qwen2,
        ["qwen35"] = new($@"{Contractions}|[^\r\n\p{{L}}\p{{N}}]?[\p{{L}}\p{{M}}]+|\p{{N}}| ?[^\s\p{{L}}\p{{M}}\p{{N}}]+[\r\n]*|{Spaces}"),
        ["ufakzeka"] = new($@"{Words}|\p{{N}}|{Signs}|{Spaces}"),
        ["minicpm5"] = new(@"\p{N}{1,3}", $@"{Contractions}|{Words}|\p{{N}}+|{Signs}|{Spaces}") { IgnoresMerges = true },
        ["seed-coder"] = new($@"{Contractions}|{Words}|\p{{N}}{{1}}| ?[^\s\p{{L}}\p{{N}}\r\n]+|{Spaces}"),
        ["bailingmoe"] = s_bailing,
        ["bailingmoe2"] = s_bailing,
        ["llada-moe"] = s_bailing,
        ["laguna"] = new(@"[^\n]+|[\n]+", Qwen2),
        ["deepseek-v3"] = s_deepSeek3,
        ["hunyuan-dense"] = s_deepSeek3,
        ["joyai-llm"] = s_deepSeek3,
        ["hy_v4"] = s_deepSeek3,
        ["deepseek-coder"] = new(@"[\r\n]", @"\s?\p{L}+", @"\s?\p{P}+", "[\u4e00-\u9fa5\u0800-\u4e00\uac00-\ud7ff]+", @"\p{N}"),
        ["falcon"] = new(@"[\p{P}\$\+<=>\^~\|`]+", Gpt2, "[0-9][0-9][0-9]"),
        ["gpt-4o"] = s_gpt4o,
        ["llama4"] = s_gpt4o,
        ["kanana2"] = s_gpt4o,
        ["talkie"] = s_gpt4o,
        ["minimax-m2"] = s_gpt4o,
        ["tekken"] = new(
            @"[^\r\n\p{L}\p{N}]?((?=[\p{L}])([^a-z]))*((?=[\p{L}])([^A-Z]))+|[^\r\n\p{L}\p{N}]?((?=[\p{L}])([^a-z]))+((?=[\p{L}])([^A-Z]))*|" +
            $@"\p{{N}}| ?[^\s\p{{L}}\p{{N}}]+[\r\n/]*|{Spaces}")
        { IgnoresMerges = true, AddsBos = true },
        ["poro-chat"] = s_bloom,
        ["bloom"] = s_bloom,
        ["gpt3-finnish"] = s_bloom,
        ["viking"] = new(Sentences, @"\p{N}"),
        ["gemma4"] = new(@"[^\n]+|[\n]+") { IsRaw = true, KeepsLineEnds = true, AlwaysAddsBos = true },
        ["sarvam-moe"] = new(@"[^\n]+|[\n]+") { IsRaw = true },
    };

    private PreTokenizer(params string[] expressions) => Expressions = expressions;

    /// <summary>One after the other: each splits what those before it left whole.</summary>
    public IReadOnlyList<string> Expressions { get; }

    /// <summary>A word that is a token is one, whatever its merges would make of it.</summary>
    public bool IgnoresMerges { get; private init; }

    public bool AddsBos { get; private init; }

    /// <summary>Also where the file says not to.</summary>
    public bool AlwaysAddsBos { get; private init; }

    /// <summary>False: where the file names no token that begins a prompt, there is none.</summary>
    public bool HasDefaultTokens { get; private init; } = true;

    /// <summary>Pairs of characters, with a mark for the space, instead of pairs of bytes.</summary>
    public bool IsRaw { get; private init; }

    /// <summary>Lines' ends that are a token together are one.</summary>
    public bool KeepsLineEnds { get; private init; }

    /// <summary>All names that are known.</summary>
    public static IEnumerable<string> Names => s_known.Keys;

    /// <summary>Null for a name that is not known.</summary>
    public static PreTokenizer? Find(string name) => s_known.GetValueOrDefault(name);
}
