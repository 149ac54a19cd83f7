namespace OllamaMax.Jobs.Assembling;

/// <summary>Finds the end of a JSON object in characters that come one by one. Whether it is valid inside is left to a parser.</summary>
internal struct JsonExtent
{
    private int _depth;
    private bool _isInString;
    private bool _isEscaped;

    /// <param name="c">The next character; the first one is the opening brace.</param>
    /// <returns>Whether this is the closing brace.</returns>
    public bool Add(char c)
    {
        if (_isInString)
        {
            if (_isEscaped)
                _isEscaped = false;
            else if (c == '\\')
                _isEscaped = true;
            else
                _isInString = c != '"';
            return false;
        }
        switch (c)
        {
            case '"':
                _isInString = true;
                break;
            case '{' or '[':
                _depth++;
                break;
            case '}' or ']':
                _depth--;
                break;
        }
        return _depth == 0;
    }
}
