using Microsoft.Extensions.Options;
using OllamaMax.Edge.Dispatch;
using OllamaMax.Security;

namespace OllamaMax.Edge.Security.Sealing;

/// <summary>Forms of the content keys, and that there is one where it is needed. What is wrong is told without the keys.</summary>
internal sealed class ContentKeyOptionsValidator(IOptions<DispatchOptions> dispatch) : IValidateOptions<ContentKeyOptions>
{
    private const string Setting = $"{ContentKeyOptions.Section}:{nameof(ContentKeyOptions.Keys)}";

    public ValidateOptionsResult Validate(string? name, ContentKeyOptions options)
    {
        List<string> errors = [];
        HashSet<string> ids = new(StringComparer.Ordinal);
        foreach (var (index, text) in options.Texts.Index())
        {
            if (!ContentKey.TryParse(text, out ContentKey? key))
                errors.Add($"{Setting}: number {index + 1} is not id:key, with an id of lower-case letters, digits and dashes and 32 bytes in base64 (openssl rand -base64 32)");
            else if (!ids.Add(key.Id))
                errors.Add($"{Setting} has two keys of the id {key.Id}");
        }
        if (errors.Count == 0 && ids.Count == 0 && dispatch.Value.EncryptPayloads)
            errors.Add($"{DispatchOptions.Section}:{nameof(DispatchOptions.EncryptPayloads)} needs a key for what is stored: set {Setting} to id:key, such as k1:$(openssl rand -base64 32)");
        return errors.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(errors);
    }
}
