// A carrier made with node-smpp: takes every message, reports delivered in the dialect of its argument.
// node server.js same|decimal|early; prints its port, then one JSON line per message.
const smpp = require('smpp');
const dialect = process.argv[2];
let last = 0x1a2b3c00;
const parts = [];

function report(session, pdu, id) {
  const text = `id:${dialect === 'decimal' ? parseInt(id, 16) : id.toLowerCase()} sub:001 dlvrd:001 ` +
    'submit date:2611241300 done date:2611241301 stat:DELIVRD err:000 text:';
  session.deliver_sm({
    source_addr: pdu.destination_addr, destination_addr: pdu.source_addr, esm_class: 4, short_message: text,
  });
}

const server = smpp.createServer((session) => {
  session.on('error', () => {});
  session.on('bind_transceiver', (pdu) => session.send(pdu.response({ system_id: 'node' })));
  session.on('enquire_link', (pdu) => session.send(pdu.response()));
  session.on('unbind', (pdu) => { session.send(pdu.response()); session.close(); });
  session.on('submit_sm', (pdu) => {
    const id = (++last).toString(16).toUpperCase();
    const message = pdu.short_message || {};
    parts.push(message.message);
    console.log(JSON.stringify({
      to: pdu.destination_addr, from: pdu.source_addr, text: message.message, udh: (message.udh || []).length,
      coding: pdu.data_coding, reference: pdu.user_message_reference, validity: pdu.validity_period,
    }));
    if (dialect === 'early') report(session, pdu, id);
    session.send(pdu.response({ message_id: id }));
    if (dialect !== 'early') setTimeout(() => report(session, pdu, id), 50);
  });
});
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
