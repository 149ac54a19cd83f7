using System.Security.Cryptography;
using System.Text;
using OllamaMax.Security;

namespace OllamaMax.TestKit;

/// <summary>Content keys by their ids: the same id is the same key in every test.</summary>
public static class ContentKeyTexts
{
    /// <summary>As a setting has it.</summary>
    public static string Of(params string[] ids) =>
        string.Join(',', ids.Select(id => $"{id}:{Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(id)))}"));

    /// <summary>Of which the first seals.</summary>
    public static ContentKeys Keys(params string[] ids) =>
        new([.. ids.Select(id => ContentKey.TryParse(Of(id), out ContentKey? key) ? key : throw new ArgumentException($"{id} is no id"))], seals: true);
}
