using System.Text;
using System.Text.Unicode;

namespace OllamaMax.Inference.Native;

/// <summary>Gives a native tokenizer nothing but what it survives. Shared by the natives.</summary>
internal static class PromptText
{
    /// <summary>Tokenizes bytes that are UTF-8.</summary>
    public delegate int[] Tokenizer(ReadOnlySpan<byte> utf8, bool addSpecial);

    /// <param name="utf8">Any bytes.</param>
    /// <param name="addSpecial">Whether to add BOS and EOS.</param>
    /// <param name="leadingToken">BOS where the vocabulary adds it.</param>
    /// <param name="splitsByExpression">Whether the vocabulary may be split by std::regex.</param>
    /// <param name="tokenizer">The native.</param>
    public static int[] Tokenize(ReadOnlySpan<byte> utf8, bool addSpecial, int? leadingToken, bool splitsByExpression, Tokenizer tokenizer)
    {
        // Bytes that would be a character beyond U+10FFFF throw through the C API, which ends the process.
        if (!Utf8.IsValid(utf8))
            utf8 = Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(utf8));
        if (!splitsByExpression || utf8.Length <= DeepStack.SafeBytes)
            return tokenizer(utf8, addSpecial);
        byte[] text = utf8.ToArray();
        return DeepStack.Run(() => TokenizeLong(text, addSpecial, leadingToken, tokenizer));
    }

    private static int[] TokenizeLong(byte[] text, bool addSpecial, int? leadingToken, Tokenizer tokenizer)
    {
        List<int> cuts = DeepStack.Cuts(text);
        if (cuts.Count == 1)
            return tokenizer(text, addSpecial);
        List<int> tokens = [];
        if (addSpecial && leadingToken is { } leading)
            tokens.Add(leading);
        int start = 0;
        foreach (int cut in cuts)
        {
            tokens.AddRange(tokenizer(text.AsSpan(start, cut - start), addSpecial: false));
            start = cut;
        }
        return [.. tokens];
    }
}
