using System.Text;

namespace OllamaMax.Models;

/// <summary>
/// A Jinja template's statements and expressions without their string literals: what it reads, as plain text may speak of tools
/// too. One pass, whatever the template is.
/// </summary>
internal static class TemplateCode
{
    public static string Of(string template)
    {
        StringBuilder code = new();
        for (int i = 0; (i = NextTag(template, i)) >= 0;)
        {
            char end = template[i + 1] == '%' ? '%' : '}';
            i = CopyTag(template, i + 2, end, code);
            code.Append('\n');
        }
        return code.ToString();
    }

    private static int NextTag(string template, int from)
    {
        for (int i = template.IndexOf('{', from); i >= 0 && i + 1 < template.Length; i = template.IndexOf('{', i + 1))
        {
            if (template[i + 1] is '%' or '{')
                return i;
        }
        return -1;
    }

    /// <summary>The position behind the tag, or the template's end.</summary>
    private static int CopyTag(string template, int i, char end, StringBuilder code)
    {
        for (; i < template.Length; i++)
        {
            char c = template[i];
            if (c is '\'' or '"')
                i = EndOfString(template, i);
            else if (c == end && i + 1 < template.Length && template[i + 1] == '}')
                return i + 2;
            else
                code.Append(c);
        }
        return template.Length;
    }

    private static int EndOfString(string template, int i)
    {
        char quote = template[i++];
        while (i < template.Length && template[i] != quote)
            i += template[i] == '\\' ? 2 : 1;
        return i;
    }
}
