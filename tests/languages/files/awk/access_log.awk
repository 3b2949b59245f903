# Sums what the web server sent.

# Adds up the bytes that went to each visitor.
function add_visit(address, bytes) {
    sent[address] += bytes
    visits[address]++
}

function print_totals(  address) {
    for (address in sent)
        printf "%s %d %d\n", address, visits[address], sent[address]
}

{ add_visit($1, $10) }
END { print_totals() }
