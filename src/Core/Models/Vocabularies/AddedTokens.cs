using OllamaMax.Models.Gguf;

namespace OllamaMax.Models.Vocabularies;

/// <summary>The tokens that a vocabulary puts around every prompt.</summary>
/// <param name="Leading">Id of the one that begins a prompt; null where there is none.</param>
/// <param name="Count">How many are added in all.</param>
internal readonly record struct AddedTokens(int? Leading, int Count)
{
    /// <param name="vocabulary">Its ids and switches win over the others.</param>
    /// <param name="bos">Id that begins a prompt where the file names none.</param>
    /// <param name="eos">Id that ends a prompt where the file names none.</param>
    /// <param name="addsBos">Whether the first is added where the file does not say.</param>
    /// <param name="alwaysAddsBos">It is added whatever the file says.</param>
    public static AddedTokens Of(GgufVocabulary vocabulary, int? bos, int? eos, bool addsBos, bool alwaysAddsBos = false)
    {
        bool isBosAdded = alwaysAddsBos || (vocabulary.GetFlag("tokenizer.ggml.add_bos_token") ?? addsBos);
        bool isEosAdded = vocabulary.GetFlag("tokenizer.ggml.add_eos_token") ?? false;
        int? leading = isBosAdded ? Id("bos", bos) : null;
        // A worker adds none where one of them is not there.
        bool canAdd = (!isBosAdded || leading is not null) && (!isEosAdded || Id("eos", eos) is not null);
        return new(leading, canAdd ? (isBosAdded ? 1 : 0) + (isEosAdded ? 1 : 0) : 0);

        int? Id(string name, int? unnamed)
        {
            long? given = vocabulary.GetInteger($"tokenizer.ggml.{name}_token_id");
            return (int?)(IsToken(given) ? given : IsToken(unnamed) ? unnamed : null);
        }

        bool IsToken(long? id) => id >= 0 && id < vocabulary.Tokens.Count;
    }
}
