using OllamaMax.Models.Gguf;

namespace OllamaMax.Models.Vocabularies;

/// <summary>
/// Which of a vocabulary's tokens are special: those that it says are, and those that llama.cpp takes for such by their names, as many files have them wrong
/// (src/llama-vocab.cpp, v0.5.0).
/// </summary>
internal static class SpecialNames
{
    private const int Unknown = 2;
    private const int Control = 3;
    private const int UserDefined = 4;

    /// <summary>Ends of an answer, and the marks of gpt-oss.</summary>
    private static readonly HashSet<string> s_always =
    [
        "<|eot_id|>", "<|im_end|>", "<|end|>", "<|return|>", "<|call|>", "<|flush|>", "<|calls|>", "<end_of_turn>", "<|endoftext|>", "</s>", "<|eom_id|>",
        "<EOT>", "_<EOT>", "[EOT]", "[EOS]", "<|end_of_text|>", "<end_of_utterance>", "<eos>", "<turn|>", "<|tool_response>", "<｜end▁of▁sentence｜>", "[e~[",
        "<|channel|>", "<|message|>", "<|start|>", "<|constrain|>",
    ];

    /// <summary>Marks to fill in between, where the file names no token for one, by the keys that could.</summary>
    private static readonly (string[] Keys, HashSet<string> Names)[] s_unnamed =
    [
        (["fim_pre", "prefix"], ["<|fim_prefix|>", "<fim-prefix>", "<fim_prefix>", "<｜fim▁begin｜>", "<PRE>", "▁<PRE>", "<|code_prefix|>", "<|prefix|>"]),
        (["fim_suf", "suffix"], ["<|fim_suffix|>", "<fim-suffix>", "<fim_suffix>", "<｜fim▁hole｜>", "<SUF>", "▁<SUF>", "<|code_suffix|>", "<|suffix|>"]),
        (["fim_mid", "middle"], ["<|fim_middle|>", "<fim-middle>", "<fim_middle>", "<｜fim▁end｜>", "<MID>", "▁<MID>", "<|code_middle|>", "<|middle|>"]),
        (["fim_pad"], ["<|fim_pad|>", "<fim-pad>", "<fim_pad>", "<PAD>", "[PAD]"]),
        (["fim_rep"], ["<|fim_repo|>", "<|repo_name|>", "<fim-repo>", "<REPO>", "<reponame>"]),
        (["fim_sep"], ["<|file_sep|>"]),
    ];

    /// <summary>Of Phi 3, whose other special tokens take the white space behind them.</summary>
    private static readonly HashSet<string> s_leavesSpace = ["<unk>", "<s>", "<|endoftext|>"];

    public static IEnumerable<(string Text, bool TakesSpace)> Of(GgufVocabulary vocabulary)
    {
        HashSet<string> unnamed =
        [
            .. from mark in s_unnamed
               where !mark.Keys.Any(key => vocabulary.GetInteger($"tokenizer.ggml.{key}_token_id") is not null)
               from name in mark.Names
               select name,
        ];
        string model = vocabulary.GetString("general.name") ?? "";
        bool isPhi3 = model.Contains("phi-3", StringComparison.OrdinalIgnoreCase) || model.Contains("phi3", StringComparison.OrdinalIgnoreCase);
        // Gemma 4 has it as a word of its own.
        bool isEndAWord = vocabulary.Tokens.Contains("<|tool_response>");
        for (int id = 0; id < vocabulary.Tokens.Count; id++)
        {
            string text = vocabulary.Tokens[id];
            bool isMarked = vocabulary.Types is { } types && id < types.Count && types[id] is Unknown or Control or UserDefined;
            if (text.Length > 0 && (isMarked || s_always.Contains(text) || unnamed.Contains(text)) && !(isEndAWord && text == "</s>"))
                yield return (text, isPhi3 && !s_leavesSpace.Contains(text));
        }
    }
}
